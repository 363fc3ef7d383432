import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SystemCgroups, systemMounts, systemNetwork } from "@skiff/host";
import type { BenchCluster } from "./bench-cluster.ts";

const never = new AbortController().signal;

/** What pods of a cluster hold on the machine now: mounts, ports of the bridge, cgroups, shims, folders, addresses. */
export async function podTraces(
  cluster: Pick<BenchCluster, "folder" | "stateFolder">,
  cgroup: string,
): Promise<readonly string[]> {
  const { folder, stateFolder } = cluster;
  const cgroups = new SystemCgroups();
  const ours = (path: string) => path.startsWith(`${folder}/`) || path.startsWith(`${stateFolder}/`);
  const mounts = (await systemMounts().list()).map(({ target }) => target).filter(ours);
  const bridge = cgroup.replace("/kubepods-", "");
  const links = await systemNetwork().links.list(never);
  const groups = await Promise.all(["", "/burstable", "/besteffort"].map((part) => cgroups.children(cgroup + part)));
  const listed = await Promise.all(
    [
      join(folder, "bench/kubelet/pods"),
      join(folder, "bench/pod-logs"),
      join(stateFolder, "state/io.containerd.grpc.v1.cri/netns"),
      join(stateFolder, "state/io.containerd.runtime.v2.task/k8s.io"),
      join(stateFolder, "cni-addresses", bridge),
    ].map(async (path) => (await readdir(path).catch(() => [])).map((name) => join(path, name))),
  );
  return [
    ...mounts,
    ...links.filter(({ master }) => master === bridge).map(({ name }) => `link ${name}`),
    ...groups.flat().map((group) => `cgroup ${group}`),
    ...listed.flat().filter((path) => !/\/(lock|last_reserved_ip\.\d+)$/.test(path)),
    ...(await shims(stateFolder)),
  ];
}

async function shims(stateFolder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (words[0]?.includes("containerd-shim") && words.some((one) => one.startsWith(`${stateFolder}/`)))
      found.push(`shim ${words.join(" ")}`);
  }
  return found;
}
