import { type APIService, Namespaces, ServiceAccounts, type Transport } from "@skiff/api";
import { type ApiServer, accountTokenIssuer, type ServiceConnector, type UsageSource } from "@skiff/apiserver";
import { type Logger, type Random, seededRandom, silentLogger, VirtualClock } from "@skiff/base";
import { type Client, createClient, createEventRecorder, createInformers, type Informers } from "@skiff/client";
import type { LoopStats, RunningControllers } from "@skiff/control-loop";
import { type CertificateSigner, type ControllerSettings, startControllers } from "@skiff/controllers";
import { parseSchedulerConfiguration, Scheduler } from "@skiff/scheduler";
import {
  annotatedLoad,
  type PodLoads,
  type PodScripts,
  type SimulatedNode,
  SimulatedNodes,
  simulatedAddresses,
  usualScript,
} from "@skiff/simulation";
import { openMemoryStore } from "@skiff/store";
import { type Faults, faultyTransport } from "./faulty-transport.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { keyOfThisProcess, openApi } from "./open-api.ts";

export interface TestClusterOptions {
  /** How many nodes, called `node-1` and so on; 1 where absent. */
  readonly nodes?: number;
  /** What each node offers; 4 CPUs, 8 GiB and 110 pods where absent. */
  readonly allocatable?: Readonly<Record<string, string>>;
  /** What pods do on their nodes; see `usualScript`. */
  readonly scripts?: PodScripts;
  /** What their containers use; what annotations say where absent (`annotatedLoad`). */
  readonly loads?: PodLoads;
  /** The same seed gives the same run. 1 where absent. */
  readonly seed?: number;
  /** What goes wrong between the cluster's components and its API. Nothing where absent. */
  readonly faults?: Faults;
  /** How long a silent node is trusted; as controllers have it where absent. */
  readonly nodeMonitorGraceMs?: number;
  /** Whether aggregated API servers answer; none does where absent. */
  readonly checkDiscovery?: (service: APIService) => Promise<void>;
  /** What is left of a namespace's objects on such a server after they were deleted; nothing where absent. */
  readonly emptyAggregated?: ControllerSettings["emptyAggregated"];
  /** Signs approved certificate requests; nobody does where absent. */
  readonly certificateSigner?: CertificateSigner;
  /** Drivers that make volumes; none where absent. */
  readonly storageDrivers?: ControllerSettings["storageDrivers"];
  /** What nodes are given ranges for their pods from; they get none where absent. */
  readonly podRanges?: ControllerSettings["podRanges"];
  /** How volumes are reclaimed; the machine has no directories where absent. */
  readonly reclaim?: ControllerSettings["reclaim"];
  /** Where Services of webhooks really are: nothing gets through to simulated pods. None is reached where absent. */
  readonly services?: ServiceConnector;
  /** A `KubeSchedulerConfiguration`, YAML or JSON; Kubernetes' defaults where absent. */
  readonly schedulerConfiguration?: string;
  readonly logger?: Logger;
}

/** How to reach a cluster that listens. PEM texts; `kubeconfig` is a whole file. */
export interface TestClusterAddress {
  readonly endpoint: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly kubeconfig: string;
}

const noFaults: Faults = { conflicts: 0, unavailable: 0, droppedWatches: 0, expiredWatches: 0 };
const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
const usualLimitMs = 60_000;
const heartbeatMs = 10_000;
const usualAllocatable = { cpu: "4", memory: "8Gi", "ephemeral-storage": "20Gi", pods: "110" };

/**
 * A whole cluster in this process, on virtual time: the real API server on a store in memory, the real controllers and
 * scheduler, nodes whose pods "run" by script. Nothing happens while no time passes; a day passes in seconds.
 *
 * @example
 * await using cluster = await TestCluster.start({ nodes: 3 });
 * await cluster.client.create(Deployments, web, { signal: cluster.signal });
 * await cluster.eventually(async () => {
 *   const { status } = await cluster.client.get(Deployments, web.metadata, { signal: cluster.signal });
 *   assert.equal(status.availableReplicas, 3);
 * });
 */
export class TestCluster implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** An administrator's client. It knows no faults. */
  readonly client: Client;
  /** Caches over `client`, for controllers under test. */
  readonly informers: Informers;
  readonly nodes: readonly SimulatedNode[];
  /** Aborted when the cluster stops. */
  readonly signal: AbortSignal;
  readonly #stack: AsyncDisposableStack;
  readonly #controllers: RunningControllers;
  readonly #weather: { faults: Faults };
  readonly #api: ApiServer;

  private constructor(parts: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly client: Client;
    readonly informers: Informers;
    readonly nodes: readonly SimulatedNode[];
    readonly signal: AbortSignal;
    readonly stack: AsyncDisposableStack;
    readonly controllers: RunningControllers;
    readonly weather: { faults: Faults };
    readonly api: ApiServer;
  }) {
    this.clock = parts.clock;
    this.random = parts.random;
    this.client = parts.client;
    this.informers = parts.informers;
    this.nodes = parts.nodes;
    this.signal = parts.signal;
    this.#stack = parts.stack;
    this.#controllers = parts.controllers;
    this.#weather = parts.weather;
    this.#api = parts.api;
  }

  /** A cluster whose nodes are Ready and whose default namespace may be used. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const {
      seed = 1,
      logger = silentLogger,
      checkDiscovery,
      emptyAggregated,
      certificateSigner,
      reclaim,
      storageDrivers,
      podRanges,
    } = options;
    const clock = new VirtualClock();
    const random = seededRandom(seed);
    const ending = new AbortController();
    const { signal } = ending;
    await using stack = new AsyncDisposableStack();
    const store = stack.use(openMemoryStore({ clock }));
    const services = options.services === undefined ? {} : { services: options.services };
    const simulated: { nodes?: SimulatedNodes } = {};
    const usage: UsageSource = {
      async usage(name) {
        const told = simulated.nodes?.usage(name);
        if (told === undefined) throw new Error(`there is no node ${name}`);
        return told;
      },
    };
    const api = stack.use(await openApi({ store, clock, random, logger: logger.named("api"), usage, ...services }));
    stack.defer(() => ending.abort());
    const weather = { faults: options.faults ?? noFaults };
    const transport = api.transport({ name: "admin", groups: ["system:masters", "system:authenticated"] });
    const client = createClient(transport);
    const inside = createClient(faultyTransport(transport, seededRandom(seed + 1), () => weather.faults));
    const informers = stack.use(createInformers({ client, clock, random, logger }));
    const shared = stack.use(createInformers({ client: inside, clock, random, logger: logger.named("informers") }));
    const running = { client: inside, informers: shared, clock, random };
    await Promise.all(namespaces.map((name) => client.create(Namespaces, { metadata: { name } }, { signal })));
    const grace = options.nodeMonitorGraceMs;
    const controllers = stack.use(
      startControllers({
        ...running,
        logger: logger.named("controllers"),
        rootCertificate: "simulated",
        readMetrics: (url, stop) => api.readAggregated(url, stop),
        issueAccountToken: accountTokenIssuer(keyOfThisProcess()),
        ...(grace === undefined ? {} : { nodeMonitorGraceMs: grace }),
        ...(checkDiscovery === undefined ? {} : { checkDiscovery }),
        ...(emptyAggregated === undefined ? {} : { emptyAggregated }),
        ...(certificateSigner === undefined ? {} : { certificateSigner }),
        ...(reclaim === undefined ? {} : { reclaim }),
        ...(podRanges === undefined ? {} : { podRanges }),
        ...(storageDrivers === undefined ? {} : { storageDrivers }),
      }),
    );
    const recorderOf = (component: string) => stack.use(createEventRecorder({ ...running, component, logger }));
    const scheduling = options.schedulerConfiguration;
    const configuration = scheduling === undefined ? {} : { configuration: parseSchedulerConfiguration(scheduling) };
    const parts = { ...running, recorderOf, logger: logger.named("scheduler"), ...configuration };
    stack.use(await Scheduler.start(parts, signal));
    simulated.nodes = stack.use(await startNodes(options, { client, informers, clock, logger, signal }));
    const cluster = new TestCluster({
      clock,
      random,
      client,
      informers,
      nodes: simulated.nodes.all,
      signal,
      controllers,
      weather,
      api,
      stack: stack.move(),
    });
    await cluster.eventually(() => client.get(ServiceAccounts, { namespace: "default", name: "default" }, { signal }));
    return cluster;
  }

  /** What goes wrong from now on; nothing where absent. */
  setFaults(faults: Faults = noFaults): void {
    this.#weather.faults = faults;
  }

  /** Moves time on and lets everything happen that falls due. */
  advance(durationMs: number): Promise<void> {
    return this.clock.advance(durationMs);
  }

  /**
   * Moves time on, from one thing that happens to the next, until `probe` neither throws nor gives `false`, and gives what it
   * gave. After `withinMs` of virtual time (a minute where absent) it throws what the probe threw last.
   */
  async eventually<T>(probe: () => T | Promise<T>, options: { readonly withinMs?: number } = {}): Promise<T> {
    const { withinMs = usualLimitMs } = options;
    let result: { readonly value: T } | undefined;
    let failure: unknown = new Error("the probe gave false");
    const holds = async () => {
      try {
        const value = await probe();
        if (value === false) return false;
        result = { value };
        return true;
      } catch (error) {
        failure = error;
        return false;
      }
    };
    await this.clock.advanceUntil(holds, withinMs).catch(() => {});
    if (result === undefined) throw failure;
    return result.value;
  }

  /** How the controllers are doing. */
  stats(): readonly LoopStats[] {
    return this.#controllers.stats();
  }

  /** The API as `user` has it, in this process. */
  transport(user: { readonly name: string; readonly groups: readonly string[] }): Transport {
    return this.#api.transport(user);
  }

  /**
   * Serves the API on a free port of 127.0.0.1, for `kubectl` and clients in other processes. Time stays virtual: whoever
   * waits for something there needs somebody to move it on here (`advance`).
   */
  async listen(): Promise<TestClusterAddress> {
    const { issueAccess } = await import("./issue-access.ts");
    const access = await issueAccess();
    const tls = { ...access.server, ca: access.ca };
    const { port } = await this.#api.listen({ host: "127.0.0.1", port: 0, tls });
    const endpoint = `https://127.0.0.1:${port}`;
    return { endpoint, ca: access.ca, ...access.admin, kubeconfig: kubeconfigOf(endpoint, access) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

function startNodes(
  {
    nodes: count = 1,
    scripts = usualScript,
    loads = annotatedLoad,
    allocatable = usualAllocatable,
  }: TestClusterOptions,
  on: {
    readonly client: Client;
    readonly informers: Informers;
    readonly clock: VirtualClock;
    readonly logger: Logger;
    readonly signal: AbortSignal;
  },
): Promise<SimulatedNodes> {
  const { signal, ...parts } = on;
  const nodes = Array.from({ length: count }, (_, at) => {
    const index = at + 1;
    return { name: `node-${index}`, labels: {}, allocatable, ...simulatedAddresses(index) };
  });
  return SimulatedNodes.start({ ...parts, nodes, scripts, loads, heartbeatMs }, signal);
}
