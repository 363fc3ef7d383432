import { join } from "node:path";
import type { Clock } from "@skiff/base";
import type { Processes } from "@skiff/host";
import type { SelfCommand } from "../lifecycle/self-command.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import { readProcessRecords, writeProcessRecords } from "./records.ts";

/** Which cluster the supervisor is to keep running. */
export interface SupervisorTarget {
  readonly name: string;
  readonly home: string;
  readonly self: SelfCommand;
}

/**
 * Starts the supervisor as a process of its own that outlives this one. It is noted at once: whoever looks for it before it
 * could do so itself must find it, or it would go on after the cluster was stopped or deleted.
 */
export async function startSupervisor(
  target: SupervisorTarget,
  paths: ClusterPaths,
  { processes, clock }: { readonly processes: Processes; readonly clock: Clock },
): Promise<void> {
  const started = await processes.start(target.self.command, {
    args: [...target.self.args, "supervise", "--home", target.home, "--name", target.name],
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
