import { fieldError } from "../../field-error.ts";
import type { PodSpec } from "../../generated/types/core-v1.ts";
import { checkChoice, type Findings } from "../../validation/checks.ts";
import { containersWithPaths } from "./pod-containers.ts";

const linuxMessage = "windows options cannot be set for a linux pod";
const windowsMessage = "cannot be set for a windows pod";

/** Members of a pod's security context that Windows has nothing for, then those of the pod, as Kubernetes names them. */
const contextMembers = ["appArmorProfile", "seLinuxOptions"] as const;
const hostMembers = ["hostUsers", "hostPID", "hostIPC"] as const;
const laterContextMembers = ["seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls"] as const;
const lastContextMembers = [
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;
const containerMembers = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

/** The system that a pod says it is for: settings of the other one mean nothing there. */
export function* checkOS(field: string, spec: PodSpec): Findings {
  if (!spec.os) return;
  if (!spec.os.name) return yield fieldError.required(`${field}.os.name`, "cannot be empty");
  yield* checkChoice(`${field}.os`, spec.os.name, ["linux", "windows"]);
  if (spec.os.name === "linux") yield* checkLinux(field, spec);
  if (spec.os.name === "windows") yield* checkWindows(field, spec);
}

function* checkLinux(field: string, spec: PodSpec): Findings {
  if (spec.securityContext?.windowsOptions) {
    yield fieldError.forbidden(`${field}.securityContext.windowsOptions`, linuxMessage);
  }
  for (const [path, { securityContext }] of containersWithPaths(field, spec)) {
    if (!securityContext?.windowsOptions) continue;
    yield fieldError.forbidden(`${path}.securityContext.windowsOptions`, linuxMessage);
  }
}

function* checkWindows(field: string, spec: PodSpec): Findings {
  const { securityContext = {} } = spec;
  const context = `${field}.securityContext`;
  yield* checkUnset(context, securityContext, contextMembers);
  yield* checkUnset(field, spec, hostMembers);
  yield* checkUnset(context, securityContext, laterContextMembers);
  yield* checkUnset(field, spec, ["shareProcessNamespace"]);
  yield* checkUnset(context, securityContext, lastContextMembers);
  for (const [path, container] of containersWithPaths(field, spec)) {
    yield* checkUnset(`${path}.securityContext`, container.securityContext ?? {}, containerMembers);
  }
}

function* checkUnset<T extends object>(field: string, object: T, members: readonly (keyof T & string)[]): Findings {
  for (const member of members) {
    const value = object[member];
    const isSet = Array.isArray(value) ? value.length > 0 : value !== undefined && !isOffSwitch(member, value);
    if (isSet) yield fieldError.forbidden(`${field}.${member}`, windowsMessage);
  }
}

/** The switches that are off unless said otherwise: off is the same as not set. */
const isOffSwitch = (member: string, value: unknown): boolean =>
  (member === "hostPID" || member === "hostIPC") && value === false;
