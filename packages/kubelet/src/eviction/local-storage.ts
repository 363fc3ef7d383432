import { asUnits, type Pod, podLimits } from "@skiff/api";

/** What a pod has on the node's disk. */
export interface LocalStorageUse {
  /** Bytes by name of emptyDir volume. */
  readonly emptyDirs: ReadonlyMap<string, number>;
  /** Bytes of writable layer and logs by container. */
  readonly containers: ReadonlyMap<string, number>;
}

const resource = "ephemeral-storage";
const onDisk = (medium: string | undefined): boolean => medium === undefined || medium === "";

/** Whether anything of the pod limits what it may have on disk: only then it is measured. */
export function limitsLocalStorage(pod: Pod): boolean {
  const volumes = (pod.spec.volumes ?? []).some((one) => one.emptyDir?.sizeLimit !== undefined);
  return volumes || [...pod.spec.containers, pod.spec].some((one) => one.resources?.limits?.[resource] !== undefined);
}

/** Why a pod has to go because of what it has on disk; `undefined` while it keeps its limits. */
export function localStorageExcess(pod: Pod, use: LocalStorageUse): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (emptyDir?.sizeLimit === undefined || asUnits(emptyDir.sizeLimit) === 0) continue;
    if ((use.emptyDirs.get(name) ?? 0) > asUnits(emptyDir.sizeLimit))
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir.sizeLimit}". `;
  }
  const total = podLimits(pod)[resource];
  if (total !== undefined && asUnits(total) > 0) {
    const disk = (pod.spec.volumes ?? []).filter((one) => one.emptyDir && onDisk(one.emptyDir.medium));
    const volumes = disk.reduce((sum, { name }) => sum + (use.emptyDirs.get(name) ?? 0), 0);
    const containers = [...use.containers.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (volumes + containers > asUnits(total))
      return `Pod ephemeral local storage usage exceeds the total limit of containers ${total}. `;
  }
  for (const { name, resources } of pod.spec.containers) {
    const limit = resources?.limits?.[resource];
    if (limit === undefined || asUnits(limit) === 0) continue;
    if ((use.containers.get(name) ?? 0) > asUnits(limit))
      return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `;
  }
  return undefined;
}
