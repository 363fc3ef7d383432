import { readdir, readFile } from "node:fs/promises";
import { systemMounts, systemNetwork, systemProcesses } from "@skiff/host";

const never = new AbortController().signal;

/** Everything that a cluster can hold on a machine, each thing as a text: mounts, links, tables, namespaces, cgroups, processes. */
export async function machineTraces(): Promise<readonly string[]> {
  const mounts = (await systemMounts().list()).map(({ target, source }) => `mount ${target} of ${source}`);
  const links = (await systemNetwork().links.list(never)).map(({ name }) => `link ${name}`);
  const tables = await systemProcesses.output("nft", { args: ["list", "tables"] }, never);
  const groups = await cgroups();
  const run = (await readdir("/run/skiff").catch(() => [])).map((name) => `folder /run/skiff/${name}`);
  return [...mounts, ...links, ...tables.split("\n").filter(Boolean), ...groups, ...run, ...(await processes())];
}

async function cgroups(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const root of ["/sys/fs/cgroup", ...(await readdir("/sys/fs/cgroup")).map((name) => `/sys/fs/cgroup/${name}`)]) {
    const names = await readdir(root).catch(() => []);
    found.push(...names.filter((name) => name.startsWith("kubepods")).map((name) => `cgroup ${root}/${name}`));
  }
  return found;
}

async function processes(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ").trim();
    if (words !== "") found.push(`process ${pid}: ${words}`);
  }
  return found;
}
