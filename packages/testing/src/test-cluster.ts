import { type APIService, Namespaces, ServiceAccounts, type Transport } from "@skiff/api";
import type { ApiServer, ServiceConnector, UsageSource } from "@skiff/apiserver";
import { type Logger, present, type Random, seededRandom, silentLogger, systemClock, VirtualClock } from "@skiff/base";
import { type Client, createClient, createInformers, type Informers } from "@skiff/client";
import type { LoopStats } from "@skiff/control-loop";
import type { CertificateSigner, ClusterControllers, ControllerSettings } from "@skiff/controllers";
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
import { type Component, Components } from "./components.ts";
import { type Faults, faultyTransport } from "./faulty-transport.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { openApi } from "./open-api.ts";
import { RestartableTransport } from "./restartable-transport.ts";
import { type PartOptions, startLoops, startScheduler } from "./start-parts.ts";

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

/** The parts that run at present. */
interface Now {
  api?: ApiServer;
  controllers?: ClusterControllers;
}

const noFaults: Faults = { conflicts: 0, unavailable: 0, droppedWatches: 0, expiredWatches: 0 };
const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
const usualLimitMs = 60_000;
const realPatienceMs = 5000;
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
  readonly #now: Now;
  readonly #components: Components;
  /** The caches of controllers and scheduler. */
  readonly #shared: Informers;
  readonly #weather: { faults: Faults };
  readonly #api: () => ApiServer;

  private constructor(parts: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly client: Client;
    readonly informers: Informers;
    readonly nodes: readonly SimulatedNode[];
    readonly signal: AbortSignal;
    readonly stack: AsyncDisposableStack;
    readonly now: Now;
    readonly components: Components;
    readonly shared: Informers;
    readonly weather: { faults: Faults };
    readonly api: () => ApiServer;
  }) {
    this.clock = parts.clock;
    this.random = parts.random;
    this.client = parts.client;
    this.informers = parts.informers;
    this.nodes = parts.nodes;
    this.signal = parts.signal;
    this.#stack = parts.stack;
    this.#now = parts.now;
    this.#components = parts.components;
    this.#shared = parts.shared;
    this.#weather = parts.weather;
    this.#api = parts.api;
  }

  /** A cluster whose nodes are Ready and whose default namespace may be used. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const { seed = 1, logger = silentLogger } = options;
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
    const transport = new RestartableTransport();
    const now: Now = {};
    const startApi = async () => {
      const api = await openApi({ store, clock, random, logger: logger.named("api"), usage, ...services });
      now.api = api;
      transport.up(api.transport({ name: "admin", groups: ["system:masters", "system:authenticated"] }));
      const stop = () => {
        transport.down();
        return api[Symbol.asyncDispose]();
      };
      return { [Symbol.asyncDispose]: stop };
    };
    const weather = { faults: options.faults ?? noFaults };
    const client = createClient(transport);
    const inside = createClient(faultyTransport(transport, seededRandom(seed + 1), () => weather.faults));
    const api = () => present(now.api, "the API server of a cluster that runs");
    const components = new Components({
      "api-server": startApi,
      controllers: async () => (now.controllers = startLoops(options, running, api)),
      scheduler: () => startScheduler(options, running, signal),
    });
    await components.start("api-server");
    stack.defer(() => components.end("api-server"));
    stack.defer(() => ending.abort());
    const informers = stack.use(createInformers({ client, clock, random, logger }));
    const shared = stack.use(createInformers({ client: inside, clock, random, logger: logger.named("informers") }));
    const running: PartOptions = { client: inside, informers: shared, clock, random, logger };
    await Promise.all(namespaces.map((name) => client.create(Namespaces, { metadata: { name } }, { signal })));
    await components.start("controllers");
    stack.defer(() => components.end("controllers"));
    await components.start("scheduler");
    stack.defer(() => components.end("scheduler"));
    simulated.nodes = stack.use(await startNodes(options, { client, informers, clock, logger, signal }));
    const cluster = new TestCluster({
      clock,
      random,
      client,
      informers,
      nodes: simulated.nodes.all,
      signal,
      now,
      components,
      shared,
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

  /**
   * Stops a part of the cluster in the middle of whatever it does. Without its API server nobody reaches anything, this cluster's
   * own clients included.
   */
  stop(component: Component): Promise<void> {
    return this.#components.stop(component);
  }

  /** Starts a part that was stopped, on what is stored; it knows nothing else of what was before. */
  start(component: Component): Promise<void> {
    if (component !== "api-server") this.#shared.renew();
    return this.#components.start(component);
  }

  /** Stops one controller by its name (see `stats`) in the middle of whatever it does; the others go on. */
  async stopController(name: string): Promise<void> {
    await this.#now.controllers?.stop(name);
  }

  /** Starts a controller that was stopped; it knows nothing of what was before. */
  startController(name: string): void {
    this.#shared.renew();
    this.#now.controllers?.startAgain(name);
  }

  /** Moves time on and lets everything happen that falls due. */
  advance(durationMs: number): Promise<void> {
    return this.clock.advance(durationMs);
  }

  /**
   * Moves time on, from one thing that happens to the next, until `probe` neither throws nor gives `false`, and gives what it
   * gave. After `withinMs` of virtual time (a minute where absent) it throws what the probe threw last, but gives work that is
   * not on this clock (files, sockets, processes) five seconds of real time to end before.
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
    await this.clock.advanceUntil(holds, withinMs).catch(() => patiently(holds));
    if (result === undefined) throw failure;
    return result.value;
  }

  /** How the controllers are doing. */
  stats(): readonly LoopStats[] {
    return this.#now.controllers?.stats() ?? [];
  }

  /** The API as `user` has it, in this process. */
  transport(user: { readonly name: string; readonly groups: readonly string[] }): Transport {
    return this.#api().transport(user);
  }

  /**
   * Serves the API on a free port of 127.0.0.1, for `kubectl` and clients in other processes. Time stays virtual: whoever
   * waits for something there needs somebody to move it on here (`advance`).
   */
  async listen(): Promise<TestClusterAddress> {
    const { issueAccess } = await import("./issue-access.ts");
    const access = await issueAccess();
    const tls = { ...access.server, ca: access.ca };
    const { port } = await this.#api().listen({ host: "127.0.0.1", port: 0, tls });
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

/** Asks again in real time: a virtual minute may pass while a disk has not written a file. */
async function patiently(holds: () => Promise<boolean>): Promise<void> {
  const patience = AbortSignal.timeout(realPatienceMs);
  while (!patience.aborted && !(await holds())) await systemClock.sleep(10, patience).catch(() => {});
}
