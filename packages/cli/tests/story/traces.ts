import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { clusterPaths, stateFolder } from "@skiff/cluster";
import type { Workbench } from "./workbench.ts";

/** What a cluster could leave behind on a machine, as text that can be compared. */
export interface Traces {
  readonly links: readonly string[];
  readonly namespaces: readonly string[];
  readonly tables: readonly string[];
  /** Of pods with ports of the node. */
  readonly portRules: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
}

const lines = (command: string, ...args: readonly string[]): readonly string[] =>
  execFileSync(command, args, { encoding: "utf8" }).split("\n").filter(Boolean);

/** The machine as it is now. */
export function traces(): Traces {
  return {
    links: lines("ip", "-o", "link")
      .map((line) => line.split(":")[1]?.trim().split("@")[0] ?? line)
      .sort(),
    namespaces: lines("ip", "netns", "list"),
    tables: lines("nft", "list", "tables"),
    portRules: lines("sh", "-c", "iptables-save -t nat 2>/dev/null || true").filter((line) =>
      line.includes("dnat name"),
    ),
    mounts: readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .sort(),
    cgroups: cgroupFolders(),
    processes: processNames(),
  };
}

/**
 * What the machine holds of one cluster: others may be on it, too. Pods' own processes are in the cluster's control groups,
 * which stay where one of them does.
 */
export function tracesOf({ folder, home, name }: Workbench, slot: number): Traces {
  const { links, namespaces, tables, portRules, mounts, cgroups, processes } = traces();
  const named = new RegExp(`^skiff${slot}(v|n\\d*|-n\\d+.*)?$`);
  const isNamed = (text: string) => named.test(text.split(" ").at(-1) ?? "");
  const paths = clusterPaths(home, name);
  const places = [folder, ...[paths, clusterPaths(paths.nodes, "2")].map(stateFolder)];
  const isPlaced = (text: string) => places.some((place) => text.includes(place));
  return {
    links: links.filter(isNamed),
    namespaces: namespaces.filter((text) => text.startsWith(`skiff${slot}-`)),
    tables: tables.filter(isNamed),
    portRules: portRules.filter((text) => text.includes(`\\"skiff${slot}\\"`)),
    mounts: mounts.filter(isPlaced),
    cgroups: cgroups.filter((path) => path.endsWith(`/kubepods-skiff${slot}`)),
    processes: processes.filter(isPlaced),
  };
}

/** Of a cluster that is gone. */
export const noTraces: Traces = {
  links: [],
  namespaces: [],
  tables: [],
  portRules: [],
  mounts: [],
  cgroups: [],
  processes: [],
};

function cgroupFolders(): readonly string[] {
  const found: string[] = [];
  const open = ["/sys/fs/cgroup"];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const name of foldersIn(folder)) {
      const path = `${folder}/${name}`;
      open.push(path);
      if (/kubepods|skiff/.test(name)) found.push(path);
    }
  }
  return found.sort();
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    // Gone meanwhile, with another cluster's pod.
    return [];
  }
}

/** Command lines of everything that runs, but for kernel threads and this test's own. */
function processNames(): readonly string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      if (/containerd|skiff\.js|dist\/main\.js|httpd|\/pause/.test(words)) found.push(words);
    } catch {
      // Ended meanwhile.
    }
  }
  return found.sort();
}
