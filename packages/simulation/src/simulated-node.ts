import {
  isAlreadyExists,
  isConflict,
  isNotFound,
  knownNodeFeatures,
  Leases,
  type New,
  type Node,
  type NodeSystemInfo,
  Nodes,
  type Pod,
  Pods,
  type Taint,
} from "@skiff/api";
import type { NodeUsage } from "@skiff/apiserver";
import { Background, type Clock, isAbort, type Logger, microTimestamp, timestamp } from "@skiff/base";
import type { Client } from "@skiff/client";
import { annotatedStopMs } from "./annotated-script.ts";
import type { PodFeed } from "./pod-feed.ts";
import { hasReached, type PodEnd, type PodScripts, type PodStage, stagesLeft, statusAt } from "./pod-script.ts";
import { type PodLoads, SimulatedUsage } from "./simulated-usage.ts";

const leaseNamespace = "kube-node-lease";
const leaseSeconds = 40;
/** How long the containers of a deleted pod take to end. */
const usualStopMs = 200;
const retryMs = 500;

/** What a simulated node is. */
export interface SimulatedNodeSpec {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** What it offers, by resource. */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly address: string;
  /** The range of its pods' addresses, which the cluster need not give it. */
  readonly podRange?: string;
  /** The nth address of its pods. */
  podAddress(n: number): string;
  /** As in `v1.36.0`; not told where absent. */
  readonly kubeletVersion?: string;
}

export interface SimulatedNodeOptions {
  readonly spec: SimulatedNodeSpec;
  readonly feed: PodFeed;
  readonly scripts: PodScripts;
  readonly loads: PodLoads;
  readonly heartbeatMs: number;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Work {
  readonly abort: AbortController;
  readonly ending: boolean;
  /** Of the pod's spec that it is done for. */
  readonly generation: number | undefined;
  /** All its stages are told. */
  played: boolean;
}

/**
 * A node without a machine: it reports itself, renews its Lease and moves the pods that are bound to it through their
 * stages, as a kubelet would report them.
 */
export class SimulatedNode implements AsyncDisposable {
  readonly name: string;
  readonly #options: SimulatedNodeOptions;
  readonly #background: Background;
  /** Work on a pod, by uid. */
  readonly #pods = new Map<string, Work>();
  readonly #usage: SimulatedUsage;
  #addresses = 1;
  #connected = true;
  #subscription: Disposable | undefined;

  constructor(options: SimulatedNodeOptions) {
    this.name = options.spec.name;
    this.#options = options;
    this.#usage = new SimulatedUsage(options.loads);
    this.#background = new Background({ logger: options.logger });
  }

  /** The node is registered and looks after its pods when this resolves. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#register(signal);
    this.#background.run(`heartbeat of ${this.name}`, (stop) => this.#beat(stop));
    this.#subscription = this.#options.feed.listen(this.name, ({ kind, object }) => {
      if (kind !== "deleted") return this.#see(object);
      const known = this.#pods.get(object.metadata.uid);
      // Most pods have played to their end by now.
      if (known?.played === false) known.abort.abort();
      this.#pods.delete(object.metadata.uid);
    });
  }

  /** From now on the node is silent and does nothing, as if its cable was pulled. */
  disconnect(): void {
    this.#connected = false;
  }

  /** The node is back; it catches up with what happened meanwhile. */
  reconnect(): void {
    this.#connected = true;
    this.#background.run(`return of ${this.name}`, async (signal) => {
      await this.#report(signal);
      for (const pod of this.#options.feed.of(this.name)) this.#see(pod);
    });
  }

  /** What the node and its pods have used so far. Throws while it is silent. */
  usage(): NodeUsage {
    if (!this.#connected) throw new Error(`${this.name} does not answer`);
    const { feed, clock } = this.#options;
    return this.#usage.read(feed.of(this.name), clock.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    // Cheaper than that each pod listens to the node's end.
    for (const { abort } of this.#pods.values()) abort.abort();
    await this.#background[Symbol.asyncDispose]();
  }

  #node(): New<Node> {
    const { spec, clock } = this.#options;
    const now = timestamp(clock.now());
    const condition = (type: string, status: string, reason: string, message: string) => ({
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    });
    return {
      metadata: {
        name: this.name,
        labels: { "kubernetes.io/hostname": this.name, "kubernetes.io/os": "linux", ...spec.labels },
        ...(spec.annotations === undefined ? {} : { annotations: { ...spec.annotations } }),
      },
      spec: {
        ...(spec.podRange === undefined ? {} : { podCIDR: spec.podRange, podCIDRs: [spec.podRange] }),
        ...(spec.taints === undefined ? {} : { taints: [...spec.taints] }),
      },
      status: {
        capacity: { ...spec.allocatable },
        allocatable: { ...spec.allocatable },
        declaredFeatures: [...knownNodeFeatures],
        ...(spec.kubeletVersion === undefined ? {} : { nodeInfo: nodeInfo(spec.kubeletVersion) }),
        addresses: [
          { type: "InternalIP", address: spec.address },
          { type: "Hostname", address: this.name },
        ],
        conditions: [
          condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
          condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
          condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
          condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
      },
    };
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    await client.create(Nodes, this.#node(), { signal }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    await this.#report(signal);
    await this.#renew(signal);
  }

  async #report(signal: AbortSignal): Promise<void> {
    const { status } = this.#node();
    await this.#options.client.patch(
      Nodes,
      { name: this.name },
      { status },
      { type: "strategic", subresource: "status", signal },
    );
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { clock, logger, heartbeatMs } = this.#options;
    for (;;) {
      await clock.sleep(heartbeatMs, signal);
      if (!this.#connected) continue;
      await this.#renew(signal).catch((error: unknown) => {
        if (isAbort(error, signal)) throw error;
        logger.debug(`${this.name} cannot renew its lease`, { error });
      });
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    const ref = { namespace: leaseNamespace, name: this.name };
    const renewTime = microTimestamp(clock.now());
    try {
      await client.patch(Leases, ref, { spec: { renewTime } }, { type: "merge", signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const spec = { holderIdentity: this.name, leaseDurationSeconds: leaseSeconds, renewTime };
      await client.create(Leases, { metadata: ref, spec }, { signal });
    }
  }

  #see(pod: Pod): void {
    if (!this.#connected) return;
    const { uid, deletionTimestamp } = pod.metadata;
    const known = this.#pods.get(uid);
    if (deletionTimestamp !== undefined) {
      if (known?.ending) return;
      known?.abort.abort();
      this.#run(pod, true, (signal) => this.#end(pod, signal));
    } else if (!hasReached(pod, "ended")) {
      const isNew = known === undefined || known.generation !== pod.metadata.generation;
      // What was played is told again where somebody has said otherwise, as is said of pods of a node that was silent.
      if (!isNew && !(known.played && stagesLeft(pod, this.#options.scripts(pod)).length > 0)) return;
      known?.abort.abort();
      this.#run(pod, false, (signal) => this.#play(pod, signal));
    }
  }

  #run(pod: Pod, ending: boolean, work: (signal: AbortSignal) => Promise<void>): void {
    const { uid, name } = pod.metadata;
    const entry: Work = { abort: new AbortController(), ending, generation: pod.metadata.generation, played: false };
    this.#pods.set(uid, entry);
    this.#background.run(`pod ${name}`, async () => {
      const { signal } = entry.abort;
      try {
        await work(signal);
        entry.played = true;
      } catch (error) {
        if (!isAbort(error, signal)) throw error;
      } finally {
        if (ending && this.#pods.get(uid) === entry) this.#pods.delete(uid);
      }
    });
  }

  async #play(pod: Pod, signal: AbortSignal): Promise<void> {
    const { clock, scripts, spec } = this.#options;
    const script = scripts(pod);
    // A pod that somebody has told of before goes on where it was.
    const since = Date.parse(pod.status?.startTime ?? "");
    const startMs = clock.monotonic() - (Number.isNaN(since) ? 0 : Math.max(0, clock.now() - since));
    const end: PodEnd = script.kind === "ends" ? script : { exitCode: 0 };
    const told = pod.status?.podIP;
    const podIP = pod.spec.hostNetwork === true ? spec.address : (told ?? this.#freeAddress());
    for (const { stage, atMs } of stagesLeft(pod, script)) {
      const restMs = startMs + atMs - clock.monotonic();
      if (restMs > 0) await clock.sleep(restMs, signal);
      await this.#persist(signal, () => this.#tell(pod, stage, { podIP, hostIP: spec.address, end }, signal));
    }
  }

  #freeAddress(): string {
    const { feed, spec } = this.#options;
    for (;;) {
      const address = spec.podAddress(this.#addresses++);
      if (!feed.hasAddress(address)) return address;
    }
  }

  async #end(pod: Pod, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    const { uid } = pod.metadata;
    await clock.sleep(annotatedStopMs(pod) ?? usualStopMs, signal);
    await this.#persist(signal, async () => {
      await client.delete(Pods, pod.metadata, { gracePeriodSeconds: 0, preconditions: { uid }, signal });
    });
  }

  /** Tries until it works, the pod is gone, or the work is given up. A silent node waits until it is heard again. */
  async #persist(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    for (;;) {
      if (this.#connected) {
        try {
          return await work();
        } catch (error) {
          if (isAbort(error, signal)) throw error;
          if (isNotFound(error)) return;
        }
      }
      await this.#options.clock.sleep(retryMs, signal);
    }
  }

  async #tell(
    pod: Pod,
    stage: PodStage,
    on: { readonly podIP: string; readonly hostIP: string; readonly end: PodEnd },
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock, feed } = this.#options;
    const write = async (current: Pod | undefined) => {
      if (current?.metadata.uid !== pod.metadata.uid) return;
      const status = statusAt(current, stage, { ...on, nowMs: clock.now() });
      await client.updateStatus(Pods, { ...current, status }, { signal });
    };
    try {
      await write(feed.find(pod.metadata));
    } catch (error) {
      if (!isConflict(error)) throw error;
      // The cache is behind.
      await write(await client.get(Pods, pod.metadata, { signal }));
    }
  }
}

const nodeInfo = (kubeletVersion: string): NodeSystemInfo => ({
  architecture: "amd64",
  bootID: "",
  containerRuntimeVersion: "simulated://1",
  kernelVersion: "simulated",
  kubeProxyVersion: "",
  kubeletVersion,
  machineID: "",
  operatingSystem: "linux",
  osImage: "simulated",
  systemUUID: "",
});
