import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Cgroups,
  detectCgroupLayout,
  type Mounts,
  type Nftables,
  type Packages,
  type Processes,
  type Sysctls,
  SystemCgroups,
  type SystemNetwork,
  systemMounts,
  systemNetwork,
  systemNftables,
  systemPackages,
  systemProcesses,
  systemSysctls,
} from "@skiff/host";
import type { ClusterPaths } from "../settings/paths.ts";

/** The machine as the cluster uses it: every effect behind its interface. */
export interface Machine {
  readonly processes: Processes;
  readonly packages: Packages;
  readonly network: SystemNetwork;
  readonly nftables: Nftables;
  readonly mounts: Mounts;
  readonly sysctls: Sysctls;
  /** Made when first asked for: machines without Linux have none. */
  cgroups(): Cgroups;
}

/** The machine that this program runs on. */
export function systemMachine(): Machine {
  let cgroups: Cgroups | undefined;
  return {
    processes: systemProcesses,
    packages: systemPackages(),
    network: systemNetwork(),
    nftables: systemNftables(),
    mounts: systemMounts(),
    sysctls: systemSysctls,
    cgroups: () => (cgroups ??= new SystemCgroups(detectCgroupLayout())),
  };
}

/**
 * The folder of what lives only until the next boot (sockets, pipes, network namespaces). Below `/run`, because socket
 * paths are short; the hash keeps clusters of the same name in different homes apart.
 */
export function stateFolder(paths: Pick<ClusterPaths, "root">): string {
  const hash = createHash("sha256").update(paths.root).digest("hex").slice(0, 10);
  return join("/run/skiff", hash);
}

/** Socket of the driver for volumes on the node's disk. A simulated node has nothing below `/run`. */
export const volumeDriverSocket = (paths: Pick<ClusterPaths, "root" | "run">, runtime: string): string =>
  join(runtime === "simulated" ? paths.run : stateFolder(paths), "csi.sock");

const bootIdPath = (paths: Pick<ClusterPaths, "run">): string => join(paths.run, "boot-id");
const currentBootId = (): Promise<string> => readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");

/** True when the machine was started anew since the cluster last ran: what lived in memory is gone. */
export async function rebootedSince(paths: Pick<ClusterPaths, "run">): Promise<boolean> {
  const noted = await readFile(bootIdPath(paths), "utf8").catch(() => undefined);
  return noted !== undefined && noted !== (await currentBootId());
}

/** Notes in which boot the cluster runs. */
export const noteBoot = async (paths: Pick<ClusterPaths, "run">): Promise<void> =>
  writeFile(bootIdPath(paths), await currentBootId());
