import { isConflict, isNotFound, isPodTerminal, type Node, Nodes, type Pod, Pods } from "@skiff/api";
import { Background, type Clock, describeError, isAbort, type Logger, type Random, timestamp } from "@skiff/base";
import type { CacheChange, Client, EventRecorder, Informers } from "@skiff/client";
import { ClusterState } from "./cluster-state.ts";
import { type Decision, decide, type Rejection, unschedulableMessage } from "./decide.ts";
import { DecisionLog } from "./decision-log.ts";
import { type ClusterEvent, hintMatches, type Plugin } from "./framework.ts";
import { defaultPlugins } from "./plugins/list.ts";
import { SchedulingQueue } from "./queue.ts";

/** The scheduler that pods get which name none. */
export const defaultSchedulerName = "default-scheduler";
/** How many bindings and marks may be under way at once. */
const callLimit = 64;

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

const pluginsIn = (rejections: ReadonlyMap<string, Rejection>): readonly string[] =>
  [...rejections.values()].map(({ plugin }) => plugin);

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
  readonly #decisions = new DecisionLog();
  #underWay = 0;
  /** The node with which the next decision begins. */
  #nextStart = 0;
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
      nodes.onChange((change) => scheduler.#nodeChanged(change)),
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

  #nodeChanged(change: CacheChange<Node>): void {
    const node = change.object;
    if (change.kind === "deleted") {
      this.#state.removeNode(node.metadata.name);
      return;
    }
    this.#state.putNode(node);
    this.#happened(
      change.kind === "added" ? { kind: "nodeAdded", node } : { kind: "nodeUpdated", node, old: change.old },
    );
  }

  #podChanged(change: CacheChange<Pod>): void {
    const { object: pod } = change;
    if (change.kind === "deleted") {
      this.#queue.remove(pod.metadata.uid);
      this.#decisions.forget(pod.metadata.uid);
      this.#state.removePod(pod.metadata.uid);
      if (pod.spec.nodeName) this.#happened({ kind: "podGone", gone: pod });
      return;
    }
    this.#state.putPod(pod);
    if (pod.spec.nodeName || isPodTerminal(pod) || pod.metadata.deletionTimestamp) {
      this.#queue.remove(pod.metadata.uid);
      // A pod that has ended gives back what it held, as one that is gone does.
      if (pod.spec.nodeName && isPodTerminal(pod)) this.#happened({ kind: "podGone", gone: pod });
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

  #happened(event: ClusterEvent): void {
    const listening = this.#plugins.filter(({ retryOn }) => retryOn.some(({ kind }) => kind === event.kind));
    this.#queue.wake((pod, rejectedBy) =>
      listening.some(
        ({ name, retryOn }) => rejectedBy.has(name) && retryOn.some((hint) => hintMatches(hint, event, pod)),
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
    // Calls under way bound the turn: it ends after so many decisions at the latest, and others get theirs.
    while (this.#underWay < callLimit && !this.#background.signal.aborted) {
      const pod = this.#queue.next();
      if (pod === undefined) return;
      this.#schedule(pod);
    }
  }

  #schedule(pod: Pod): void {
    const { uid } = pod.metadata;
    const { nodes } = this.#state;
    const { random } = this.#options;
    const decision = decide(pod, { nodes, plugins: this.#plugins, random, start: this.#nextStart });
    this.#nextStart = nodes.length === 0 ? 0 : (this.#nextStart + decision.examined) % nodes.length;
    this.#decisions.remember(uid, decision);
    if (decision.kind === "placed") {
      this.#state.assume(pod, decision.node);
      this.#call(`binding ${pod.metadata.name}`, (signal) => this.#bind(pod, decision.node, signal));
      return;
    }
    // Without nodes nobody rejected the pod: whoever cares for new nodes speaks for it.
    const rejectedBy = nodes.length === 0 ? this.#plugins.map(({ name }) => name) : pluginsIn(decision.rejections);
    this.#queue.reject(uid, new Set(rejectedBy));
    const message = unschedulableMessage(pod, nodes.length, decision.rejections);
    this.#call(`marking ${pod.metadata.name}`, (signal) => this.#markUnschedulable(pod, message, signal));
  }

  /** Work that waits for the API, in the background; so much of it at once and no more. */
  #call(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    this.#underWay++;
    this.#background.run(name, (signal) =>
      work(signal).finally(() => {
        this.#underWay--;
        this.#wakeUp();
      }),
    );
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
        const message = `binding rejected: running Bind plugin "DefaultBinder": ${describeError(error)}`;
        recorder.record(Pods, pod, { type: "Warning", reason: "FailedScheduling", message });
        this.#queue.reject(uid, new Set());
      }
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
