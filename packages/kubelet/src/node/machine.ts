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
    pods: "110",
    architecture: machineArchitecture(),
    operatingSystem: "linux",
    osImage: parseOsRelease(osRelease).prettyName,
    kernelVersion: release(),
    machineId,
    systemUuid: systemUuid === "" ? machineId : systemUuid,
    bootId,
  };
}
