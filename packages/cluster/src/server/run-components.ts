import { hostname } from "node:os";
import {
  type AdmissionChoice,
  type ApiServer,
  accountTokenIssuer,
  type SchedulingSource,
  type UserInfo,
} from "@skiff/apiserver";
import { aborted, type Clock, describeError, isAbort, type Logger, systemRandom, uuid } from "@skiff/base";
import {
  type Client,
  createClient,
  createEventRecorder,
  createInformers,
  type Informers,
  whileLeading,
} from "@skiff/client";
import type { RunningControllers } from "@skiff/control-loop";
import { type StorageDriver, startControllers } from "@skiff/controllers";
import { Scheduler } from "@skiff/scheduler";
import type { Store } from "@skiff/store";
import type { IdentityOptions } from "../identity/identity-options.ts";
import type { OperationOptions } from "../operation/operation-options.ts";
import { frontProxyName, loadAuthority, type Pki } from "../pki/pki.ts";
import type { SchedulerConfigurationSource } from "../scheduling/scheduler-configuration.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import { clusterCidrs } from "../settings/pod-ranges.ts";
import type { ClusterSettings } from "../settings/settings.ts";
import type { AuditLog } from "./audit-log.ts";
import { hostpathDrivers } from "./hostpath-drivers.ts";
import { kubeletConnector } from "./kubelet-connector.ts";
import { markControlPlane } from "./mark-control-plane.ts";
import { removePath } from "./remove-path.ts";
import { type SimulatedPart, startSimulatedNodes } from "./simulated-part.ts";
import type { TokenTracking } from "./token-tracking.ts";

export interface ServerEffects {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What one server process works on. */
export interface Server extends ServerEffects {
  /** Which admission plugins are on. */
  readonly admission: AdmissionChoice;
  readonly settings: ClusterSettings;
  readonly pki: Pki;
  readonly pkiFolder: string;
  /** The cluster's folder. */
  readonly root: string;
  readonly paths: ClusterPaths;
  readonly identity: IdentityOptions;
  readonly store: Store;
  readonly operation: OperationOptions;
  readonly auditLog: AuditLog | undefined;
  readonly schedulerConfiguration: SchedulerConfigurationSource;
  /** Its simulated nodes, once they run. */
  readonly simulated: SimulatedPart;
  /** Who knows why pods are where they are: the scheduler, where and while it runs. */
  readonly scheduling: { source: SchedulingSource | undefined };
  /** The controllers, where and while they run. */
  readonly controllers: { running: RunningControllers | undefined };
  readonly tokens: TokenTracking;
}

/** The cluster's own components: no request of theirs is refused. */
export const component = (name: string): UserInfo => ({ name, groups: ["system:masters", "system:authenticated"] });

/**
 * Controllers and scheduler, each with a client of its own name, until the signal is aborted; they share caches of what they
 * watch. With a shared store, each of the two runs in one server at a time: the one that holds its Lease.
 */
export async function runComponents(
  server: Server,
  api: ApiServer,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = server;
  const random = systemRandom;
  const client = createClient(api.transport(component("system:kube-controller-manager")));
  const informers = stack.use(createInformers({ client, clock, random, logger: logger.named("informers") }));
  stack.use(markControlPlane(server.settings.nodeName, { client, informers, logger: logger.named("control-plane") }));
  const controllers = async (stop: AbortSignal) => {
    await using started = new AsyncDisposableStack();
    const nodes = kubeletConnector(api.table, server.pki);
    const storageDrivers = [started.use(hostpathDrivers(server, { nodes, informers }))];
    const running = started.use(controllersOf(server, { api, client, informers, storageDrivers }));
    server.controllers.running = running;
    started.defer(() => {
      server.controllers.running = undefined;
    });
    started.use(await startSimulatedNodes(server, { client, informers }, stop));
    return started.move();
  };
  const schedulerClient = createClient(api.transport(component("system:kube-scheduler")));
  const scheduler = (stop: AbortSignal) => startScheduler(server, { client: schedulerClient, informers }, stop);
  if (!server.store.isShared) {
    stack.use(await controllers(signal));
    stack.use(await scheduler(signal));
    await aborted(signal);
    return;
  }
  const identity = `${hostname()}_${uuid(random)}`;
  const lead = (name: string, leader: Client, start: (stop: AbortSignal) => Promise<AsyncDisposable>) =>
    whileLeading(
      { client: leader, clock, random, logger, lease: { namespace: "kube-system", name }, identity, signal },
      async (stop) => {
        logger.info(`leading as ${name}`);
        // Whoever led before has written until a moment ago.
        informers.renew();
        await using _running = await start(stop);
        await aborted(stop);
      },
    );
  await Promise.all([
    lead("kube-controller-manager", client, controllers),
    lead("kube-scheduler", schedulerClient, scheduler),
  ]);
}

interface Shared {
  readonly client: Client;
  readonly informers: Informers;
}

function controllersOf(
  { clock, logger, pki, pkiFolder, identity, settings }: Server,
  {
    api,
    client,
    informers,
    storageDrivers,
  }: Shared & { readonly api: ApiServer; readonly storageDrivers: readonly StorageDriver[] },
): RunningControllers {
  return startControllers({
    client,
    informers,
    clock,
    random: systemRandom,
    logger: logger.named("controllers"),
    rootCertificate: pki.authority,
    extensionAuthentication: {
      clientAuthority: pki.authority,
      frontProxyAuthority: pki.frontProxyAuthority,
      frontProxyName,
    },
    checkDiscovery: (service, stop) => api.checkDiscovery(service, stop),
    readMetrics: (url, stop) => api.readAggregated(url, stop),
    emptyAggregated: (service, namespace, stop) => api.emptyAggregated(service, namespace, stop),
    podRanges: {
      clusterCidrs: clusterCidrs(settings),
      maskSizes: settings.nodeMaskSizes,
      serviceCidrs: [settings.serviceCidr],
    },
    storageDrivers,
    reclaim: { removePath, recyclerImage: "docker.io/skiff/hello:latest" },
    issueAccountToken: accountTokenIssuer(identity.serviceAccounts.privateKey),
    certificateSigner: { sign: async (request) => (await loadAuthority(pkiFolder, clock)).certify(request) },
  });
}

async function startScheduler(
  { clock, logger, scheduling, schedulerConfiguration }: Server,
  { client, informers }: Shared,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const random = systemRandom;
  await using stack = new AsyncDisposableStack();
  const recorderOf = (component: string) =>
    stack.use(createEventRecorder({ client, component, clock, random, logger }));
  const configuration = schedulerConfiguration();
  const parts = { client, informers, recorderOf, clock, random, logger: logger.named("scheduler") };
  const options = { ...parts, configuration };
  try {
    const scheduler = stack.use(await Scheduler.start(options, signal));
    scheduling.source = (pod) => scheduler.explain(pod);
    stack.defer(() => {
      scheduling.source = undefined;
    });
  } catch (error) {
    if (!isAbort(error, signal))
      throw new Error(`the scheduler does not start: ${describeError(error)}`, { cause: error });
  }
  return stack.move();
}
