import { isAlreadyExists, isNotFound, Leases, type Node, Nodes, type Pod, Pods } from "@skiff/api";
import type { NodeUsage } from "@skiff/apiserver";
import { Background, type Clock, isAbort, type Logger, microTimestamp, timestamp } from "@skiff/base";
import type { Client, Informers } from "@skiff/client";
import { type PodScripts, type PodStage, stagesOf, statusAt } from "./pod-script.ts";
import { type PodLoads, SimulatedUsage } from "./simulated-usage.ts";

const leaseNamespace = "kube-node-lease";
const heartbeatMs = 10_000;
const leaseSeconds = 40;
/** How long the containers of a deleted pod take to end. */
const stopMs = 200;
const retryMs = 500;
const byNode = "node name";

export interface SimulatedNodeOptions {
  readonly name: string;
  /** Counts from 1; gives the node its addresses. */
  readonly index: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly scripts: PodScripts;
  readonly loads: PodLoads;
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly logger: Logger;
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
  readonly #pods = new Map<string, { readonly abort: AbortController; ending: boolean }>();
  readonly #usage: SimulatedUsage;
  #addresses = 1;
  #connected = true;
  #subscription: Disposable | undefined;

  constructor(options: SimulatedNodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.#usage = new SimulatedUsage(options.loads);
    this.#background = new Background({ logger: options.logger });
  }

  /** The node is registered and looks after its pods when this resolves. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#register(signal);
    this.#background.run(`heartbeat of ${this.name}`, (stop) => this.#beat(stop));
    const pods = this.#options.informers.for(Pods);
    pods.addIndex(byNode, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
    this.#subscription = pods.onChange(({ kind, object }) => {
      if (object.spec.nodeName !== this.name) return;
      if (kind === "deleted") this.#pods.get(object.metadata.uid)?.abort.abort();
      else this.#see(object);
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
      for (const pod of this.#options.informers.for(Pods).byIndex(byNode, this.name)) this.#see(pod);
    });
  }

  /** What the node and its pods have used so far. Throws while it is silent. */
  usage(): NodeUsage {
    if (!this.#connected) throw new Error(`${this.name} does not answer`);
    const { informers, clock } = this.#options;
    return this.#usage.read(informers.for(Pods).byIndex(byNode, this.name), clock.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
  }

  #node(): Pick<Node, "status"> & { metadata: { name: string; labels: Record<string, string> } } {
    const { index, labels, allocatable, clock } = this.#options;
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
        labels: { "kubernetes.io/hostname": this.name, "kubernetes.io/os": "linux", ...labels },
      },
      status: {
        capacity: { ...allocatable },
        allocatable: { ...allocatable },
        addresses: [
          { type: "InternalIP", address: `192.168.100.${index}` },
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
    const { metadata, status } = this.#node();
    await client.create(Nodes, { metadata, status }, { signal }).catch((error: unknown) => {
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
    const { clock, logger } = this.#options;
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
    } else if (known === undefined && pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed") {
      this.#run(pod, false, (signal) => this.#play(pod, signal));
    }
  }

  #run(pod: Pod, ending: boolean, work: (signal: AbortSignal) => Promise<void>): void {
    const { uid, name } = pod.metadata;
    const abort = new AbortController();
    const entry = { abort, ending };
    this.#pods.set(uid, entry);
    this.#background.run(`pod ${name}`, async (stop) => {
      try {
        await work(AbortSignal.any([stop, abort.signal]));
      } catch (error) {
        if (!isAbort(error, stop) && !isAbort(error, abort.signal)) throw error;
      } finally {
        // A pod that only ran on keeps its entry: it has been played.
        if (ending && this.#pods.get(uid) === entry) this.#pods.delete(uid);
      }
    });
  }

  async #play(pod: Pod, signal: AbortSignal): Promise<void> {
    const { clock, scripts, index } = this.#options;
    const script = scripts(pod);
    const startMs = clock.monotonic();
    const exitCode = script.kind === "ends" ? script.exitCode : 0;
    const address = this.#addresses++;
    const podIP = `10.${100 + index}.${address >> 8}.${address & 255}`;
    const hostIP = `192.168.100.${index}`;
    for (const { stage, atMs } of stagesOf(script)) {
      await clock.sleep(Math.max(0, startMs + atMs - clock.monotonic()), signal);
      await this.#persist(signal, () => this.#reportPod(pod, stage, { podIP, hostIP, exitCode }, signal));
    }
  }

  async #end(pod: Pod, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    const { uid } = pod.metadata;
    await clock.sleep(stopMs, signal);
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

  async #reportPod(
    pod: Pod,
    stage: PodStage,
    on: { readonly podIP: string; readonly hostIP: string; readonly exitCode: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock } = this.#options;
    const current = await client.get(Pods, pod.metadata, { signal });
    if (current.metadata.uid !== pod.metadata.uid) return;
    const status = statusAt(current, stage, { ...on, nowMs: clock.now() });
    await client.updateStatus(Pods, { ...current, status }, { signal });
  }
}
