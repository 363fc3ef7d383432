import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asUnits, type EmptyDirVolumeSource, type Pod } from "@skiff/api";
import type { Mounts } from "@skiff/host";
import { podCgroupLimits } from "../../cgroups/resources.ts";
import { type MountedVolume, VolumeFailure, type VolumePlugin } from "../volume-plugin.ts";

const everybody = 0o777;

/** A folder (or a file system in memory) that lives as long as its pod. Set up once: what containers do to it stays. */
export function emptyDirPlugin(options: {
  readonly mounts: Mounts | undefined;
  readonly allocatable: Readonly<Record<string, string>>;
}): VolumePlugin {
  const { mounts, allocatable } = options;
  return {
    name: "kubernetes.io/empty-dir",
    supports: ({ volume }) => volume.emptyDir !== undefined,
    async setUp({ pod, spec, folder, stateFolder }, signal): Promise<MountedVolume> {
      const source = spec.volume.emptyDir ?? {};
      const inMemory = source.medium === "Memory";
      const mounted = mounts !== undefined && (await mounts.isMountPoint(folder));
      const ready = join(stateFolder, "ready");
      const isReady = (await exists(ready)) && (await exists(folder));
      const medium = source.medium ?? "";
      if (medium !== "" && !inMemory && !medium.startsWith("HugePages"))
        throw new VolumeFailure(`unknown storage medium "${medium}"`);
      if (!(mounted || (isReady && medium === ""))) {
        await makeFolder(folder);
        if (inMemory) {
          const sizeBytes = memorySizeBytes(source, pod, allocatable);
          // Sticky, as the kernel makes it.
          await mounts?.mountTmpfs(folder, { mode: 0o1777, ...(sizeBytes > 0 ? { sizeBytes } : {}) }, signal);
        } else if (medium !== "") {
          const pageSize = hugePageSize(medium, pod);
          await mounts?.mount(
            { source: "nodev", target: folder, fileSystem: "hugetlbfs", options: [`pagesize=${pageSize}`] },
            signal,
          );
        }
        await mkdir(stateFolder, { recursive: true, mode: 0o750 });
        await writeFile(ready, "");
        return { kind: "files", path: folder, readonly: false, fsGroup: "always", usage: usageOf(medium) };
      }
      return { kind: "files", path: folder, readonly: false, fsGroup: "never", usage: usageOf(medium) };
    },
  };
}

const usageOf = (medium: string) => (medium === "" ? "files" : "fileSystem");

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

/** Makes a folder that every user may use, whatever the process' umask is. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: everybody });
  await chmod(folder, everybody);
}

/** The size of a file system in memory: the least of what was asked for, the pod's memory, and the node's. 0: unknown. */
export function memorySizeBytes(
  source: EmptyDirVolumeSource,
  pod: Pod,
  allocatable: Readonly<Record<string, string>>,
): number {
  const bytes = (quantity: string | undefined) => (quantity === undefined ? 0 : asUnits(quantity));
  const limits = [bytes(allocatable.memory), podCgroupLimits(pod).memoryLimitBytes ?? 0, bytes(source.sizeLimit)];
  const known = limits.filter((one) => one > 0);
  return known.length === 0 ? 0 : Math.min(...known);
}

const prefix = "hugepages-";

/** The page size of a file system of huge pages, as in `2Mi`: that of the medium, or the only one the pod asks for. */
export function hugePageSize(medium: string, pod: Pod): string {
  const wanted = medium === "HugePages" ? undefined : medium.slice("HugePages-".length);
  const lists = [pod.spec, ...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(
    (one) => one.resources?.requests ?? {},
  );
  const names = lists.flatMap((list) => Object.keys(list));
  const sizes = new Set(names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)));
  if (wanted === undefined && sizes.size > 1)
    throw new VolumeFailure(`medium: ${medium} can't be used if container requests multiple huge page sizes`);
  const found = [...sizes].find((size) => wanted === undefined || asUnits(size) === asUnits(wanted));
  if (found === undefined)
    throw new VolumeFailure(
      `medium ${medium}: hugePages storage requested, but there is no resource request for huge pages`,
    );
  return `${asUnits(found)}`;
}
