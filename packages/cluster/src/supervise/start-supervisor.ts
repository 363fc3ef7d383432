import { join } from "node:path";
import type { Clock } from "@skiff/base";
import type { Processes } from "@skiff/host";
import type { SelfCommand } from "../lifecycle/self-command.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import { readProcessRecords, writeProcessRecords } from "./records.ts";

const notedPollMs = 5;

/** Which cluster the supervisor is to keep running. */
export interface SupervisorTarget {
  readonly name: string;
  readonly home: string;
  readonly self: SelfCommand;
}

/**
 * Starts the supervisor as a process of its own that outlives this one. It is noted at once, and does nothing before: whoever
 * looks for it must find it, or it would go on after the cluster was stopped or deleted.
 */
export async function startSupervisor(
  target: SupervisorTarget,
  paths: ClusterPaths,
  { processes, clock }: { readonly processes: Processes; readonly clock: Clock },
): Promise<void> {
  const started = await processes.start(target.self.command, {
    args: [
      ...target.self.args,
      "supervise",
      ...["--home", target.home, "--name", target.name],
      ...["--started-by", String(process.pid)],
    ],
    log: { kind: "file", path: join(paths.logs, "supervisor.log") },
    detached: true,
    cwd: "/",
  });
  started.unref();
  const others = (await readProcessRecords(paths)).filter(({ name }) => name !== "supervisor");
  const { pid, startTicks } = started.identity;
  const record = { name: "supervisor", pid, startTicks, restarts: 0, startedAtMs: clock.now() };
  await writeProcessRecords(paths, [record, ...others]);
}

/**
 * Waits until this supervisor is noted by the process that started it. False where that one was killed before it could: then
 * nobody would find it.
 */
export async function isNoted(
  startedBy: number,
  paths: ClusterPaths,
  { processes, clock }: { readonly processes: Processes; readonly clock: Clock },
  signal: AbortSignal,
): Promise<boolean> {
  const own = processes.identify(process.pid);
  for (;;) {
    const mayCome = process.ppid === startedBy;
    const noted = (await readProcessRecords(paths)).find(({ name }) => name === "supervisor");
    if (noted?.pid === process.pid && noted.startTicks === (own?.startTicks ?? noted.startTicks)) return true;
    if (!mayCome) return false;
    await clock.sleep(notedPollMs, signal);
  }
}
