import type { Device, Mount } from "@skiff/runtime";

/** What a container gets beyond what its spec says, because something of the node was set aside for it. */
export interface ContainerGrant {
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Names of devices of the Container Device Interface, as in `vendor.com/gpu=card0`. */
  readonly cdiDevices: readonly string[];
  /** CPUs and NUMA nodes that it alone runs on, or that it shares with others, as the kernel writes them. */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
}

export const noGrant: ContainerGrant = { env: new Map(), mounts: [], devices: [], annotations: {}, cdiDevices: [] };

/** All of it together. Where two speak of the same variable, path or key, the first holds. */
export function mergeGrants(grants: readonly ContainerGrant[]): ContainerGrant {
  if (grants.length === 0) return noGrant;
  const backwards = grants.toReversed();
  const byPath = <T extends { readonly containerPath: string }>(lists: readonly (readonly T[])[]): readonly T[] => [
    ...new Map(lists.toReversed().flatMap((list) => list.map((one) => [one.containerPath, one] as const))).values(),
  ];
  const cpus = grants.find(({ cpusetCpus }) => cpusetCpus !== undefined)?.cpusetCpus;
  const mems = grants.find(({ cpusetMems }) => cpusetMems !== undefined)?.cpusetMems;
  return {
    ...(cpus === undefined ? {} : { cpusetCpus: cpus }),
    ...(mems === undefined ? {} : { cpusetMems: mems }),
    env: new Map(backwards.flatMap(({ env }) => [...env])),
    mounts: byPath(grants.map(({ mounts }) => mounts)),
    devices: byPath(grants.map(({ devices }) => devices)),
    annotations: Object.assign({}, ...backwards.map(({ annotations }) => annotations)),
    cdiDevices: [...new Set(grants.flatMap(({ cdiDevices }) => cdiDevices))],
  };
}
