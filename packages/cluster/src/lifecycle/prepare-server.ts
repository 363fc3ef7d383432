import { mkdir } from "node:fs/promises";
import type { Clock } from "@skiff/base";
import { checkDatastore, type Datastore } from "../datastore/datastore.ts";
import { establishCluster } from "../datastore/shared-cluster.ts";
import { chooseSettings } from "../settings/choose.ts";
import { clusterPaths } from "../settings/paths.ts";
import type { ClusterPodRanges } from "../settings/pod-ranges.ts";
import { type RuntimeKind, readSettings, writeSettings } from "../settings/settings.ts";
import type { Machine } from "./machine.ts";
import { takeLock } from "./prepare-home.ts";

/** What a server that is started by itself is told of its cluster. */
export interface ServerPlan {
  readonly name: string;
  readonly home: string;
  readonly datastore: Datastore;
  readonly token: string | undefined;
  readonly apiPort: number | undefined;
  readonly runtime: RuntimeKind | undefined;
  readonly podRanges?: ClusterPodRanges | undefined;
}

/**
 * Makes what `skiff server` needs on a machine where nothing was started before: settings, and certificates of the cluster
 * in the datastore. Does nothing where it is all there.
 */
export async function prepareServer(
  plan: ServerPlan,
  { machine, clock }: { readonly machine: Machine; readonly clock: Clock },
): Promise<void> {
  checkDatastore(plan.datastore);
  const paths = clusterPaths(plan.home, plan.name);
  for (const folder of [paths.run, paths.logs]) await mkdir(folder, { recursive: true });
  await using _lock = await takeLock(paths);
  const before = await readSettings(paths);
  const { name, apiPort, datastore, podRanges } = plan;
  const runtime = plan.runtime ?? "containerd";
  const nodeIp = await machine.network.addresses.primaryIPv4();
  const chosen = before ?? (await chooseSettings(plan.home, { name, runtime, apiPort, datastore, podRanges, nodeIp }));
  const { settings } = await establishCluster(chosen, paths, { token: plan.token, clock });
  await writeSettings(paths, settings);
}
