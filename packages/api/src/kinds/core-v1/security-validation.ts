import { fieldError } from "../../field-error.ts";
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from "../../generated/types/core-v1.ts";
import { checkChoice, checkDescendingPath, checkId, type Findings } from "../../validation/checks.ts";
import { containersWithPaths } from "./pod-containers.ts";
import { checkWindowsOptions } from "./windows-validation.ts";

/** Under what restrictions a container runs. */
export function* checkSecurityContext(
  field: string,
  context: SecurityContext | undefined,
  setting: { readonly hostUsers: boolean },
): Findings {
  if (context === undefined) return;
  yield* checkId(`${field}.runAsUser`, context.runAsUser);
  yield* checkId(`${field}.runAsGroup`, context.runAsGroup);
  yield* checkChoice(`${field}.procMount`, context.procMount, ["Default", "Unmasked"]);
  if (context.procMount === "Unmasked" && setting.hostUsers) {
    yield fieldError.invalid(`${field}.procMount`, context.procMount, "`hostUsers` must be false to use `Unmasked`");
  }
  yield* checkSeccomp(`${field}.seccompProfile`, context.seccompProfile);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      const message = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
      yield fieldError.invalid(field, context, message);
    }
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      const message = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
      yield fieldError.invalid(field, context, message);
    }
  }
  yield* checkWindowsOptions(`${field}.windowsOptions`, context.windowsOptions);
  yield* checkAppArmor(`${field}.appArmorProfile`, context.appArmorProfile);
}

/** Restrictions of a pod as a whole. */
export function* checkPodSecurityContext(field: string, context: PodSecurityContext, spec: PodSpec): Findings {
  yield* checkId(`${field}.fsGroup`, context.fsGroup);
  yield* checkId(`${field}.runAsUser`, context.runAsUser);
  yield* checkId(`${field}.runAsGroup`, context.runAsGroup);
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    yield* checkId(`${field}.supplementalGroups[${index}]`, group);
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    const message = "ShareProcessNamespace and HostPID cannot both be enabled";
    yield fieldError.invalid(`${field}.shareProcessNamespace`, true, message);
  }
  yield* checkSysctls(`${field}.sysctls`, context, spec);
  yield* checkChoice(`${field}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]);
  yield* checkSeccomp(`${field}.seccompProfile`, context.seccompProfile);
  yield* checkWindowsOptions(`${field}.windowsOptions`, context.windowsOptions);
  yield* checkAppArmor(`${field}.appArmorProfile`, context.appArmorProfile);
  yield* checkChoice(`${field}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ["Merge", "Strict"]);
  yield* checkChoice(`${field}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ["MountOption", "Recursive"]);
}

const segment = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const sysctlForm = `^(${segment}[\\./])*${segment}$`;
const sysctlPattern = new RegExp(sysctlForm);

function* checkSysctls(field: string, { sysctls = [] }: PodSecurityContext, spec: PodSpec): Findings {
  const names = new Set<string>();
  for (const [index, { name }] of sysctls.entries()) {
    const path = `${field}[${index}].name`;
    if (!name) yield fieldError.required(path);
    else if (name.length > 253 || !sysctlPattern.test(name)) {
      yield fieldError.invalid(path, name, `must have at most 253 characters and match regex ${sysctlForm}`);
    } else if (names.has(name)) yield fieldError.duplicate(path, name);
    const dotted = name.replaceAll("/", ".");
    if (spec.hostNetwork && dotted.startsWith("net.")) {
      yield fieldError.invalid(path, name, "may not be specified when 'hostNetwork' is true");
    } else if (spec.hostIPC && /^(?:kernel\.(?:shm|msg|sem)|fs\.mqueue\.)/.test(dotted)) {
      yield fieldError.invalid(path, name, "may not be specified when 'hostIPC' is true");
    }
    names.add(name);
  }
}

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

function* checkSeccomp(field: string, profile: SeccompProfile | undefined): Findings {
  if (profile === undefined) return;
  const { type, localhostProfile } = profile;
  if (!type) yield fieldError.required(`${field}.type`, "type is required when seccompProfile is set");
  else yield* checkChoice(`${field}.type`, type, profileTypes);
  const path = `${field}.localhostProfile`;
  if (type !== "Localhost") {
    if (localhostProfile !== undefined) {
      yield fieldError.invalid(path, profile, "can only be set when seccomp type is Localhost");
    }
  } else if (localhostProfile === undefined) {
    yield fieldError.required(path, "must be set when seccomp type is Localhost");
  } else yield* checkDescendingPath(path, localhostProfile);
}

function* checkAppArmor(field: string, profile: AppArmorProfile | undefined): Findings {
  if (profile === undefined) return;
  const { type, localhostProfile } = profile;
  const path = `${field}.localhostProfile`;
  if (!type) yield fieldError.required(`${field}.type`, "type is required when appArmorProfile is set");
  else yield* checkChoice(`${field}.type`, type, profileTypes);
  if (type === "Localhost") {
    if (localhostProfile === undefined || localhostProfile === "") {
      yield fieldError.required(path, "must be set when AppArmor type is Localhost");
    } else if (localhostProfile.trim() !== localhostProfile) {
      yield fieldError.invalid(path, localhostProfile, "must not be padded with whitespace");
    }
  } else if (localhostProfile !== undefined) {
    yield fieldError.invalid(path, localhostProfile, "can only be set when AppArmor type is Localhost");
  }
}

/** A pod with users of its own cannot share the host's namespaces. */
export function* checkHostUsers(field: string, spec: PodSpec): Findings {
  if (spec.hostUsers !== false) return;
  const message = "when `hostUsers` is false";
  for (const member of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (spec[member]) yield fieldError.forbidden(`${field}.${member}`, message);
  }
  for (const [path, { volumeDevices }] of containersWithPaths(field, spec)) {
    if (volumeDevices?.length) yield fieldError.forbidden(`${path}.volumeDevices`, message);
  }
}
