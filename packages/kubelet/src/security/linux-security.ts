import type { Container, Pod, PodSecurityContext, SeccompProfile as SeccompSpec, SecurityContext } from "@skiff/api";
import type { ImageSummary, LinuxSecurity, NamespaceOptions, SeccompProfile } from "@skiff/runtime";
import { ContainerConfigError } from "../env/environment.ts";
import { podIdentity, podText } from "../pods/pod-identity.ts";
import { appArmorProfile } from "./app-armor.ts";

const maskedPaths: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readonlyPaths: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Where seccomp profiles of type Localhost lie: below this folder of the kubelet's root. */
const seccompFolder = "seccomp";

/** Namespaces that a pod's containers share with one another or with the node. */
export const namespaceOptions = (pod: Pod): NamespaceOptions => ({
  network: pod.spec.hostNetwork === true ? "node" : "pod",
  pid: pod.spec.hostPID === true ? "node" : pod.spec.shareProcessNamespace === true ? "pod" : "container",
  ipc: pod.spec.hostIPC === true ? "node" : "pod",
});

/** A seccomp profile; without one a container runs unconfined, as Kubernetes has it unless the node says otherwise. */
export function seccompProfile(profile: SeccompSpec | undefined, rootFolder: string): SeccompProfile {
  switch (profile?.type) {
    case "RuntimeDefault":
      return { kind: "runtimeDefault" };
    case "Localhost":
      return { kind: "localhost", path: `${rootFolder}/${seccompFolder}/${profile.localhostProfile ?? ""}` };
    default:
      return { kind: "unconfined" };
  }
}

/** Whom the process runs as: the container's word, then the pod's, then the image's. */
function runAs(own: SecurityContext, shared: PodSecurityContext, image: ImageSummary) {
  const user = own.runAsUser ?? shared.runAsUser;
  if (user !== undefined) return { runAsUser: user };
  if (image.uid !== undefined) return { runAsUser: image.uid };
  // An image that names nobody runs as root; said so, for a group is only taken together with a user.
  return image.username === undefined || image.username === "" ? { runAsUser: 0 } : { runAsUsername: image.username };
}

/** Throws where a container must not run as root and would, or nobody can tell. */
export function checkNonRoot(pod: Pod, container: Container, image: ImageSummary): void {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) !== true) return;
  const who = `(pod: "${podText(podIdentity(pod))}", container: ${container.name})`;
  const user = own.runAsUser ?? shared.runAsUser;
  if (user !== undefined) {
    if (user === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${who}`);
    return;
  }
  if (image.username !== undefined && image.username !== "" && image.uid === undefined)
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${who}`,
    );
  if ((image.uid ?? 0) === 0)
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${who}`);
}

/** What a container may do, from its own and its pod's securityContext. */
export function linuxSecurity(
  pod: Pod,
  container: Container,
  options: {
    readonly image: ImageSummary;
    readonly rootFolder: string;
    /** Id of the container whose processes this one is to see (`kubectl debug --target`). */
    readonly target?: string;
  },
): LinuxSecurity {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const privileged = own.privileged === true;
  const group = own.runAsGroup ?? shared.runAsGroup;
  const appArmor = appArmorProfile(pod, container);
  const unmasked = privileged || own.procMount === "Unmasked";
  return {
    privileged,
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    namespaces:
      options.target === undefined
        ? namespaceOptions(pod)
        : { ...namespaceOptions(pod), pid: { containerId: options.target } },
    ...runAs(own, shared, options.image),
    ...(group === undefined ? {} : { runAsGroup: group }),
    ...(appArmor === undefined || privileged ? {} : { appArmor }),
    supplementalGroups: supplementalGroups(shared),
    readonlyRootfs: own.readOnlyRootFilesystem === true,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    seccomp: privileged
      ? { kind: "unconfined" }
      : seccompProfile(own.seccompProfile ?? shared.seccompProfile, options.rootFolder),
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
  };
}

/** Groups beside the primary one; the group that owns the pod's volumes is one of them. */
export const supplementalGroups = (shared: PodSecurityContext | undefined): readonly number[] => [
  ...(shared?.supplementalGroups ?? []),
  ...(shared?.fsGroup === undefined ? [] : [shared.fsGroup]),
];
