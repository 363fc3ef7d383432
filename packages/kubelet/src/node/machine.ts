import { readFile, statfs } from "node:fs/promises";
import { arch, availableParallelism, release, totalmem } from "node:os";
import { parseOsRelease } from "@skiff/host";
import type { NodeMachine } from "../options.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

const textOf = async (path: string): Promise<string> => (await readFile(path, "utf8").catch(() => "")).trim();

/** Kubernetes' name for this machine's processor. */
export const machineArchitecture = (): string => architectures[arch()] ?? arch();

/** What this machine has to offer, and what it is. `folder` lies on the file system that pods write to. */
export async function readMachine(folder: string): Promise<NodeMachine> {
  const [disk, osRelease, machineId, systemUuid, bootId] = await Promise.all([
    statfs(folder),
    textOf("/etc/os-release"),
    textOf("/etc/machine-id"),
    textOf("/sys/class/dmi/id/product_uuid"),
    textOf("/proc/sys/kernel/random/boot_id"),
  ]);
  return {
    cpu: String(availableParallelism()),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    ephemeralStorage: `${Math.floor((disk.blocks * disk.bsize) / 1024)}Ki`,
    // The kubelet's configuration limits it further.
    pods: "1000000",
    hugePages: await hugePages(),
    architecture: machineArchitecture(),
    operatingSystem: "linux",
    osImage: parseOsRelease(osRelease).prettyName,
    kernelVersion: release(),
    machineId,
    systemUuid: systemUuid === "" ? machineId : systemUuid,
    bootId,
  };
}

/** Memory that the machine has set aside in huge pages. */
async function hugePages(): Promise<Readonly<Record<string, string>>> {
  const bytesOf = async (kilobytes: number) => {
    const pages = await textOf(`/sys/kernel/mm/hugepages/hugepages-${kilobytes}kB/nr_hugepages`);
    return Number(pages) * kilobytes * 1024;
  };
  const [small, large] = await Promise.all([bytesOf(2048), bytesOf(1_048_576)]);
  const text = (bytes: number, unit: number, name: string) => (bytes === 0 ? "0" : `${bytes / unit}${name}`);
  return { "2Mi": text(small, 2 ** 20, "Mi"), "1Gi": text(large, 2 ** 30, "Gi") };
}
