/** Annotations in which pods named their profiles before they had fields for them. */
import { fieldError } from "../../field-error.ts";
import type { PodSpec } from "../../generated/types/core-v1.ts";
import { checkDescendingPath, type Findings } from "../../validation/checks.ts";
import { containersWithPaths } from "./pod-containers.ts";

const seccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompOfContainer = "container.seccomp.security.alpha.kubernetes.io/";
const appArmorOfContainer = "container.apparmor.security.beta.kubernetes.io/";
const seccompNames = ["runtime/default", "docker/default", "unconfined"];
const appArmorNames = ["", "runtime/default", "unconfined"];
const local = "localhost/";

/** Profiles for containers that are there, in the form of profiles. */
export function* checkProfileAnnotations(
  field: string,
  annotations: Readonly<Record<string, string>> | undefined,
  spec: PodSpec | undefined,
): Findings {
  const entries = Object.entries(annotations ?? {});
  for (const [key, profile] of entries) {
    if (key === seccompOfPod || key.startsWith(seccompOfContainer)) yield* checkSeccomp(`${field}.${key}`, profile);
  }
  for (const [key, profile] of entries) {
    if (!key.startsWith(appArmorOfContainer)) continue;
    const path = `${field}[${key}]`;
    const name = key.slice(appArmorOfContainer.length);
    if (spec && !hasContainer(spec, name)) yield fieldError.invalid(path, name, "container not found");
    if (appArmorNames.includes(profile) || profile.startsWith(local)) continue;
    yield fieldError.invalid(path, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`);
  }
}

function* checkSeccomp(field: string, profile: string): Findings {
  if (seccompNames.includes(profile)) return;
  if (profile.startsWith(local)) yield* checkDescendingPath(field, profile.slice(local.length));
  else yield fieldError.invalid(field, profile, "must be a valid seccomp profile");
}

function hasContainer(spec: PodSpec, name: string): boolean {
  for (const [, container] of containersWithPaths("", spec)) if (container.name === name) return true;
  return false;
}
