import { cpus, freemem, totalmem } from "node:os";

/** What all processes of this machine use. */
export interface MachineUsage {
  /** CPU time since the machine started. */
  readonly cpuNanos: number;
  /** Without what the kernel could drop at once. */
  readonly memoryBytes: number;
  readonly memoryAvailableBytes: number;
}

/** Reads the machine's own counters. */
export function machineUsage(): MachineUsage {
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const memoryAvailableBytes = freemem();
  return { cpuNanos: busyMs * 1e6, memoryBytes: totalmem() - memoryAvailableBytes, memoryAvailableBytes };
}
