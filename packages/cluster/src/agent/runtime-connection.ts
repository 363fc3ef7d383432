import { join } from "node:path";
import type { Clock, Logger } from "@skiff/base";
import { type ContainerdRuntime, connectContainerd, containerdSocket } from "@skiff/runtime";
import { type Machine, stateFolder } from "../lifecycle/machine.ts";
import type { ClusterPaths } from "../settings/paths.ts";

interface Effects {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Connects to the cluster's containerd, waiting at most `timeoutMs` for it to come up. */
export async function connectNodeRuntime(
  paths: ClusterPaths,
  { machine, clock, logger }: Effects,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ContainerdRuntime> {
  const state = stateFolder(paths);
  const socket = containerdSocket({ stateDirectory: state });
  const { processes } = machine;
  return connectContainerd(
    { socket, pipesDirectory: join(state, "exec"), processes, cgroups: machine.cgroups(), clock, logger },
    limits,
  );
}
