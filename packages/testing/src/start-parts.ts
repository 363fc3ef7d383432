import type { ApiServer } from "@skiff/apiserver";
import { accountTokenIssuer } from "@skiff/apiserver";
import type { Clock, Logger, Random } from "@skiff/base";
import { type Client, createEventRecorder, type Informers } from "@skiff/client";
import { type ClusterControllers, startControllers } from "@skiff/controllers";
import { parseSchedulerConfiguration, Scheduler } from "@skiff/scheduler";
import { keyOfThisProcess } from "./open-api.ts";
import type { TestClusterOptions } from "./test-cluster.ts";

/** What the parts of a cluster that work through its API live on. */
export interface PartOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** All controllers, as the options of the cluster want them. */
export function startLoops(options: TestClusterOptions, on: PartOptions, api: () => ApiServer): ClusterControllers {
  const { nodeMonitorGraceMs, checkDiscovery, emptyAggregated, certificateSigner, reclaim, podRanges, storageDrivers } =
    options;
  return startControllers({
    ...on,
    logger: on.logger.named("controllers"),
    rootCertificate: "simulated",
    readMetrics: (url, stop) => api().readAggregated(url, stop),
    issueAccountToken: accountTokenIssuer(keyOfThisProcess()),
    ...(nodeMonitorGraceMs === undefined ? {} : { nodeMonitorGraceMs }),
    ...(checkDiscovery === undefined ? {} : { checkDiscovery }),
    ...(emptyAggregated === undefined ? {} : { emptyAggregated }),
    ...(certificateSigner === undefined ? {} : { certificateSigner }),
    ...(reclaim === undefined ? {} : { reclaim }),
    ...(podRanges === undefined ? {} : { podRanges }),
    ...(storageDrivers === undefined ? {} : { storageDrivers }),
  });
}

/** The scheduler with its recorders of events. */
export async function startScheduler(
  { schedulerConfiguration }: TestClusterOptions,
  on: PartOptions,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const recorderOf = (component: string) => stack.use(createEventRecorder({ ...on, component }));
  const configuration =
    schedulerConfiguration === undefined ? {} : { configuration: parseSchedulerConfiguration(schedulerConfiguration) };
  stack.use(
    await Scheduler.start({ ...on, recorderOf, logger: on.logger.named("scheduler"), ...configuration }, signal),
  );
  return stack.move();
}
