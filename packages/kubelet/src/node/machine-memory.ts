import { readFileSync } from "node:fs";

/** What the kernel tells of the whole machine's memory, beyond what is free. */
export interface MachineMemory {
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

/** From the texts of `/proc/meminfo` and `/proc/vmstat`. */
export function parseMachineMemory(meminfo: string, vmstat: string): MachineMemory {
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1] ?? 0) * 1024;
  const count = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(vmstat)?.[1] ?? 0);
  return {
    rssBytes: kilobytes("AnonPages"),
    pageFaults: count("pgfault"),
    majorPageFaults: count("pgmajfault"),
    swapTotalBytes: kilobytes("SwapTotal"),
    swapFreeBytes: kilobytes("SwapFree"),
  };
}

/** As it is now; `undefined` where there is no `/proc`. */
export function machineMemory(): MachineMemory | undefined {
  try {
    return parseMachineMemory(readFileSync("/proc/meminfo", "utf8"), readFileSync("/proc/vmstat", "utf8"));
  } catch {
    return undefined;
  }
}
