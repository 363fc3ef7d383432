import { readFileSync } from "node:fs";
import type { AppArmorProfile as AppArmorSpec, Container, Pod } from "@skiff/api";
import type { AppArmorProfile } from "@skiff/runtime";

/** Whether the kernel of this machine has AppArmor and uses it. */
export function hasAppArmor(): boolean {
  try {
    return readFileSync("/sys/module/apparmor/parameters/enabled", "utf8").startsWith("Y");
  } catch {
    return false;
  }
}

/** The container's word on AppArmor, or else its pod's. */
const profileOf = (pod: Pod, container: Pick<Container, "securityContext">): AppArmorSpec | undefined =>
  container.securityContext?.appArmorProfile ?? pod.spec.securityContext?.appArmorProfile;

/** Why a pod cannot have the AppArmor profiles it asks for on this node; `undefined` where it can. */
export function appArmorRefusal(pod: Pod, enabled: boolean): string | undefined {
  if (enabled) return undefined;
  const asks = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some((container) => {
    const type = profileOf(pod, container)?.type;
    return type !== undefined && type !== "Unconfined";
  });
  return asks ? "Cannot enforce AppArmor: AppArmor is not enabled on the host" : undefined;
}

/** The profile that a container runs under; `undefined`: whatever the runtime gives it. */
export function appArmorProfile(pod: Pod, container: Container): AppArmorProfile | undefined {
  const profile = profileOf(pod, container);
  switch (profile?.type) {
    case "RuntimeDefault":
      return { kind: "runtimeDefault" };
    case "Unconfined":
      return { kind: "unconfined" };
    case "Localhost":
      return { kind: "localhost", name: profile.localhostProfile ?? "" };
    default:
      return undefined;
  }
}
