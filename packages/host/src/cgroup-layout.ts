import { readFileSync } from "node:fs";
import { parseMountInfo } from "./mounts.ts";

/**
 * How this machine's control groups are mounted. `v2`: one tree for all controllers. `v1`: a tree per controller.
 * `hybrid`: as `v1`, with a v2 tree without controllers beside them.
 */
export interface CgroupLayout {
  readonly kind: "v1" | "v2" | "hybrid";
  /** Where each controller's tree is mounted, by controller (`cpu`, `memory`, `pids`, …); with `v2` all the same. */
  readonly controllers: ReadonlyMap<string, string>;
  /** Every tree, each once; all of them may hold a pod's group. */
  readonly roots: readonly string[];
}

/** Works the layout out from the text of `/proc/self/mountinfo` and, for `v2`, the names of the controllers there. */
export function cgroupLayout(mountInfo: string, controllersOfV2: (root: string) => readonly string[]): CgroupLayout {
  const mounts = parseMountInfo(mountInfo);
  const unified = mounts.find((mount) => mount.fileSystem === "cgroup2")?.target;
  const controllers = new Map<string, string>();
  const roots = new Set<string>();
  for (const mount of mounts) {
    if (mount.fileSystem !== "cgroup" || roots.has(mount.target)) continue;
    roots.add(mount.target);
    for (const option of mount.superOptions) {
      if (option !== "rw" && option !== "ro" && !controllers.has(option)) controllers.set(option, mount.target);
    }
  }
  if (unified === undefined) return { kind: "v1", controllers, roots: [...roots] };
  if (roots.size > 0) return { kind: "hybrid", controllers, roots: [...roots, unified] };
  for (const name of controllersOfV2(unified)) controllers.set(name, unified);
  return { kind: "v2", controllers, roots: [unified] };
}

/** The layout of this machine. */
export function detectCgroupLayout(): CgroupLayout {
  return cgroupLayout(readFileSync("/proc/self/mountinfo", "utf8"), (root) =>
    readFileSync(`${root}/cgroup.controllers`, "utf8").trim().split(/\s+/).filter(Boolean),
  );
}
