import type { Clock, Logger } from "@skiff/base";
import type { Processes } from "@skiff/host";
import type { ClusterPaths } from "../settings/paths.ts";
import { readProcessRecords } from "./records.ts";
import { type SupervisorTarget, startSupervisor } from "./start-supervisor.ts";

const checkMs = 1_000;

interface Effects {
  readonly paths: ClusterPaths;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Who watches the supervisor: the server, which is its child, or the agent of a node whose server is elsewhere. When its parent
 * is gone it starts another supervisor, which finds the running processes by their records and goes on watching them. Who was
 * started by hand has no supervisor and wants none.
 */
export async function keepSupervisor(target: SupervisorTarget, effects: Effects, signal: AbortSignal): Promise<void> {
  const { paths, processes, clock, logger } = effects;
  const supervisor = (await readProcessRecords(paths)).find(({ name }) => name === "supervisor");
  if (supervisor === undefined || supervisor.pid !== process.ppid) return;
  let watched = supervisor;
  for (;;) {
    await clock.sleep(checkMs, signal);
    if (processes.isAlive(watched)) continue;
    const other = (await readProcessRecords(paths)).find(({ name }) => name === "supervisor");
    if (other !== undefined && processes.isAlive(other)) watched = other;
    else {
      logger.warn("the supervisor is gone; starting another");
      await startSupervisor(target, paths, { processes, clock });
    }
  }
}
