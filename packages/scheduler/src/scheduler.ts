import type { KubeObject, ResourceDefinition } from "@skiff/api";
import { isConflict, isNotFound, isPodTerminal, Nodes, type Pod, Pods } from "@skiff/api";
import { Background, type Clock, describeError, isAbort, type Logger, type Random, timestamp } from "@skiff/base";
import type { CacheChange, Client, EventRecorder, Informers } from "@skiff/client";
import { ClusterState } from "./cluster-state.ts";
import { type Decision, decide, unschedulableMessage } from "./decide.ts";
import type { Plugin } from "./framework.ts";
import { defaultPlugins } from "./plugins/list.ts";
import { SchedulingQueue } from "./queue.ts";

/** The scheduler that pods get which name none. */
export const defaultSchedulerName = "default-scheduler";
/** How many bindings may be under way at once. */
const bindLimit = 64;
/** How many pods' last decisions are remembered. */
const decisionLimit = 10_000;

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The default profile where absent. */
  readonly plugins?: readonly Plugin[];
}

/**
 * Gives every pod without a node a node. Decisions are made one after the other on the scheduler's own picture of the
 * cluster; bindings travel to the API in the background, counted as done meanwhile (assumed).
 */
export class Scheduler implements AsyncDisposable {
  readonly #options: SchedulerOptions;
  readonly #plugins: readonly Plugin[];
  readonly #state = new ClusterState();
  readonly #queue: SchedulingQueue;
  readonly #background: Background;
  readonly #subscriptions: Disposable[] = [];
  readonly #decisions = new Map<string, Decision>();
  #binding = 0;
  #scheduled = false;

  private constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#plugins = options.plugins ?? defaultPlugins;
    this.#queue = new SchedulingQueue(options.clock, () => this.#wakeUp());
    this.#background = new Background({ logger: options.logger });
  }

  /** Starts scheduling as soon as nodes and pods are known. */
  static async start(options: SchedulerOptions, signal: AbortSignal): Promise<Scheduler> {
    const scheduler = new Scheduler(options);
    const nodes = options.informers.for(Nodes);
    const pods = options.informers.for(Pods);
    await Promise.all([nodes.whenSynced(signal), pods.whenSynced(signal)]);
    scheduler.#subscriptions.push(
      nodes.onChange((change) => {
        if (change.kind === "deleted") scheduler.#state.removeNode(change.object.metadata.name);
        else scheduler.#state.putNode(change.object);
        scheduler.#hint(Nodes, change);
      }),
      pods.onChange((change) => scheduler.#podChanged(change)),
    );
    return scheduler;
  }

  /** The last decision about a pod, by uid: where every node stood. */
  lastDecision(uid: string): Decision | undefined {
    return this.#decisions.get(uid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
  }

  #podChanged(change: CacheChange<Pod>): void {
    const { object: pod } = change;
    if (change.kind === "deleted") {
      this.#queue.remove(pod.metadata.uid);
      this.#decisions.delete(pod.metadata.uid);
      this.#state.removePod(pod.metadata.uid);
      this.#hint(Pods, change);
      return;
    }
    this.#state.putPod(pod);
    if (pod.spec.nodeName || isPodTerminal(pod) || pod.metadata.deletionTimestamp) {
      this.#queue.remove(pod.metadata.uid);
      // A pod that has ended gives back what it held, as one that is gone does.
      if (isPodTerminal(pod)) this.#hint(Pods, { kind: "deleted", object: pod });
    } else if (this.#isOurs(pod) && this.#gate(pod) === undefined) this.#queue.add(pod);
  }

  #isOurs({ spec }: Pod): boolean {
    return (spec.schedulerName || defaultSchedulerName) === defaultSchedulerName;
  }

  #gate(pod: Pod): string | undefined {
    for (const { preEnqueue } of this.#plugins) {
      const reason = preEnqueue?.(pod);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  #hint<T extends KubeObject>(resource: ResourceDefinition<T>, change: CacheChange<T>): void {
    const old = change.kind === "updated" ? change.old : undefined;
    const hints = this.#plugins.flatMap(({ name, retryOn }) =>
      retryOn
        .filter((hint) => hint.change === change.kind && hint.resource.plural === resource.plural)
        .map((hint) => ({ name, hint })),
    );
    this.#queue.wake((pod, rejectedBy) =>
      hints.some(
        ({ name, hint }) => rejectedBy.has(name) && (hint.helps?.({ pod, object: change.object, old }) ?? true),
      ),
    );
  }

  /** Decisions run in a turn of their own, so that a burst of pods is seen whole before the first is placed. */
  #wakeUp(): void {
    if (this.#scheduled || this.#background.signal.aborted) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#scheduleAll();
    });
  }

  #scheduleAll(): void {
    while (this.#binding < bindLimit && !this.#background.signal.aborted) {
      const pod = this.#queue.next();
      if (pod === undefined) return;
      this.#schedule(pod);
    }
  }

  #schedule(pod: Pod): void {
    const { uid } = pod.metadata;
    const { nodes } = this.#state;
    const decision = decide(pod, nodes, this.#plugins, this.#options.random);
    if (this.#decisions.size >= decisionLimit) this.#decisions.clear();
    this.#decisions.set(uid, decision);
    if (decision.kind === "placed") {
      this.#state.assume(pod, decision.node);
      this.#binding++;
      this.#background.run(`binding ${pod.metadata.name}`, (signal) => this.#bind(pod, decision.node, signal));
      return;
    }
    this.#queue.reject(uid, new Set([...decision.rejections.values()].map(({ plugin }) => plugin)));
    const message = unschedulableMessage(nodes.length, decision.rejections);
    this.#background.run(`marking ${pod.metadata.name}`, (signal) => this.#markUnschedulable(pod, message, signal));
  }

  async #bind(pod: Pod, node: string, signal: AbortSignal): Promise<void> {
    const { client, recorder, logger } = this.#options;
    const { name, namespace, uid } = pod.metadata;
    try {
      const target = { apiVersion: "v1", kind: "Node", name: node };
      const binding = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace, uid }, target };
      await client.createSubresource(Pods, { name, namespace }, "binding", binding, { signal });
      this.#queue.remove(uid);
      const message = `Successfully assigned ${namespace}/${name} to ${node}`;
      recorder.record(Pods, pod, { type: "Normal", reason: "Scheduled", message });
    } catch (error) {
      if (isAbort(error, signal)) return;
      this.#state.forget(uid);
      if (isNotFound(error)) this.#queue.remove(uid);
      else {
        // Somebody else bound it or changed it: the informer will tell. Whatever it was, it is tried again.
        if (!isConflict(error)) logger.warn(`cannot bind ${namespace}/${name}: ${describeError(error)}`);
        this.#queue.reject(uid, new Set());
      }
    } finally {
      this.#binding--;
      this.#wakeUp();
    }
  }

  async #markUnschedulable(pod: Pod, message: string, signal: AbortSignal): Promise<void> {
    const { client, recorder, clock, logger } = this.#options;
    recorder.record(Pods, pod, { type: "Warning", reason: "FailedScheduling", message });
    const before = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (before?.status === "False" && before.message === message) return;
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message,
      lastTransitionTime: before?.status === "False" ? before.lastTransitionTime : timestamp(clock.now()),
      observedGeneration: pod.metadata.generation,
    };
    try {
      const patch = { status: { conditions: [condition] } };
      await client.patch(Pods, pod.metadata, patch, { type: "strategic", subresource: "status", signal });
    } catch (error) {
      if (isAbort(error, signal) || isNotFound(error)) return;
      logger.warn(`cannot mark ${pod.metadata.namespace}/${pod.metadata.name}: ${describeError(error)}`);
    }
  }
}
