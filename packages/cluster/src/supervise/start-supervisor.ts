import { join } from "node:path";
import type { Processes } from "@skiff/host";
import type { SelfCommand } from "../lifecycle/self-command.ts";
import type { ClusterPaths } from "../settings/paths.ts";

/** Which cluster the supervisor is to keep running. */
export interface SupervisorTarget {
  readonly name: string;
  readonly home: string;
  readonly self: SelfCommand;
}

/** Starts the supervisor as a process of its own that outlives this one. */
export async function startSupervisor(
  target: SupervisorTarget,
  paths: ClusterPaths,
  processes: Processes,
): Promise<void> {
  const started = await processes.start(target.self.command, {
    args: [...target.self.args, "supervise", "--home", target.home, "--name", target.name],
    log: { kind: "file", path: join(paths.logs, "supervisor.log") },
    detached: true,
    cwd: "/",
  });
  started.unref();
}
