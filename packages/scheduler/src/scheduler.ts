import {
  isConflict,
  isNotFound,
  Nodes,
  namespaceTerminates,
  type Pod,
  PodDisruptionBudgets,
  Pods,
  type ResourceDefinition,
} from "@skiff/api";
import { Background, describeError, isAbort } from "@skiff/base";
import type { EventRecorder } from "@skiff/client";
import type { Attempt } from "./attempt.ts";
import { BindingFailed, bindPod, reserve } from "./bind.ts";
import { ClusterState, viewOf } from "./cluster-state.ts";
import { defaultConfiguration, type SchedulerConfiguration } from "./configuration/configuration.ts";
import { Decider } from "./decider.ts";
import type { Decision, Verdicts } from "./decision.ts";
import { DecisionLog } from "./decision-log.ts";
import type { PodScheduling } from "./explain.ts";
import { explainPod } from "./explain-pod.ts";
import { createHttpExtender } from "./extenders/http-extender.ts";
import { extenderRetries } from "./extenders/retry.ts";
import type { ClusterView } from "./framework.ts";
import { Intake } from "./intake.ts";
import { lookUpPod } from "./look-up-pod.ts";
import type { NodeInfo } from "./node-info.ts";
import { clearNomination, markUnscheduled, type StatusTools, type Unscheduled } from "./pod-status-writer.ts";
import type { PreemptionPlan } from "./preemption/plan-preemption.ts";
import { preempt } from "./preemption/preempt.ts";
import { byImportance, type Candidate, priorityOf } from "./preemption/select-victims.ts";
import { defaultSchedulerName, type Profile, sortOf } from "./profile.ts";
import { SchedulingQueue } from "./queue.ts";
import { reliefOf } from "./relief.ts";
import { RetryHints } from "./retry-hints.ts";
import type { SchedulerOptions } from "./scheduler-options.ts";
import { unschedulableMessage } from "./unschedulable-message.ts";

/** How many bindings and marks may be under way at once. */
const callLimit = 64;

/**
 * Gives every pod without a node a node. Decisions are made one after the other on the scheduler's own picture of the
 * cluster; bindings travel to the API in the background, counted as done meanwhile (assumed).
 */
export class Scheduler implements AsyncDisposable {
  readonly #options: SchedulerOptions;
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #recorders: ReadonlyMap<string, EventRecorder>;
  readonly #state = new ClusterState();
  readonly #view: ClusterView;
  readonly #queue: SchedulingQueue;
  readonly #background: Background;
  readonly #subscriptions: Disposable[] = [];
  readonly #decisions = new DecisionLog();
  readonly #decider: Decider;
  readonly #intake: Intake;
  #underWay = 0;
  #scheduled = false;

  private constructor(options: SchedulerOptions, { profiles, backoff, extenders }: SchedulerConfiguration) {
    this.#options = options;
    const { clock, informers, random, logger, recorderOf } = options;
    this.#profiles = new Map(profiles.map((profile) => [profile.schedulerName, profile]));
    this.#recorders = new Map([...this.#profiles.keys()].map((name) => [name, recorderOf(name)]));
    const hints = new RetryHints(profiles, extenders.length === 0 ? [] : [extenderRetries(this.#watched())]);
    const compare = profiles.slice(0, 1).map((first) => ({ compare: sortOf(first) }));
    this.#queue = new SchedulingQueue({ clock, onReady: () => this.#wakeUp(), backoff, ...compare[0] });
    this.#background = new Background({ logger });
    this.#view = viewOf(this.#state, informers);
    const [state, view, background] = [this.#state, this.#view, this.#background];
    this.#decider = new Decider({ state, view, background, informers, random, logger });
    const [queue, decisions] = [this.#queue, this.#decisions];
    const profileOf = (pod: Pod) => this.#profileOf(pod);
    const forgetOn = new Set(profiles.flatMap(({ plugins }) => plugins.flatMap((plugin) => plugin.forgetOn ?? [])));
    this.#intake = new Intake({ state, view, queue, hints, decisions, background, informers, forgetOn, profileOf });
  }

  /** Starts scheduling as soon as nodes and pods are known. */
  static async start(options: SchedulerOptions, signal: AbortSignal): Promise<Scheduler> {
    const { informers, clock, configuration = defaultConfiguration() } = options;
    const scheduler = new Scheduler(options, configuration);
    const podOn = (node: string, uid: string) => scheduler.#state.node(node)?.pod(uid);
    const extenders = configuration.extenders.map((one) => createHttpExtender(one, { clock, podOn }));
    scheduler.#decider.extenders = await Promise.all(extenders);
    const nodes = informers.for(Nodes);
    const pods = informers.for(Pods);
    const others = [...scheduler.#watched()].map((resource) => informers.for(resource));
    const all = [nodes, pods, informers.for(PodDisruptionBudgets), ...others];
    await Promise.all(all.map((informer) => informer.whenSynced(signal)));
    scheduler.#subscriptions.push(
      ...others.map((informer) =>
        informer.onChange((change) =>
          scheduler.#intake.happened({ kind: "object", resource: informer.resource, change }),
        ),
      ),
      nodes.onChange((change) => scheduler.#intake.nodeChanged(change)),
      pods.onChange((change) => scheduler.#intake.podChanged(change)),
    );
    return scheduler;
  }

  /** The last decision about a pod, by uid: where every node stood. */
  lastDecision(uid: string): Decision | undefined {
    return this.#decisions.get(uid);
  }

  /** Why a pod is where it is, or has no node. */
  explain(pod: Pod): PodScheduling {
    return explainPod(pod, this.#decisions.get(pod.metadata.uid), this.#profileOf(pod), this.#view);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
  }

  #watched(): ReadonlySet<ResourceDefinition> {
    const plugins = [...this.#profiles.values()].flatMap((profile) => profile.plugins);
    return new Set(plugins.flatMap(({ watches = [] }) => watches));
  }

  #tools({ schedulerName }: Profile): StatusTools {
    const { client, clock, logger, recorderOf } = this.#options;
    const recorder = this.#recorders.get(schedulerName) ?? recorderOf(schedulerName);
    return { client, clock, logger, recorder };
  }

  #profileOf({ spec }: Pod): Profile | undefined {
    return this.#profiles.get(spec.schedulerName || defaultSchedulerName);
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
    while (this.#underWay < callLimit && !this.#decider.isAsking && !this.#background.signal.aborted) {
      const pod = this.#queue.next();
      if (pod === undefined) return;
      this.#schedule(pod);
    }
  }

  #schedule(pod: Pod): void {
    const profile = this.#profileOf(pod);
    if (profile === undefined) return;
    this.#decider.decide(pod, profile, {
      decided: (result) => this.#settle(pod, profile, result),
      failed: (error, signal) => this.#failed(pod, profile, error, signal),
      free: () => this.#wakeUp(),
    });
  }

  /** Not the cluster was in the way, something went wrong: the pod says so and is tried again after a while. */
  #failed(pod: Pod, profile: Profile, error: unknown, signal: AbortSignal): Promise<void> {
    this.#queue.fail(pod.metadata.uid);
    const told: Unscheduled = { reason: "SchedulerError", message: describeError(error), nominated: undefined };
    return markUnscheduled(this.#tools(profile), pod, told, signal);
  }

  #settle(pod: Pod, profile: Profile, { decided, plan }: Attempt): void {
    const state = this.#state;
    const { clock } = this.#options;
    const { node, verdicts } = decided;
    // While others were asked the pod may have gone, or the node.
    if (!this.#queue.has(pod.metadata.uid)) return;
    if (node !== undefined && state.node(node.name) === undefined) {
      this.#queue.fail(pod.metadata.uid);
      return;
    }
    if (node === undefined) {
      this.#noNode(pod, profile, verdicts, plan);
      return;
    }
    this.#decisions.remember(pod.metadata.uid, { kind: "placed", node: node.name, verdicts, atMs: clock.now() });
    state.nominations.remove(pod.metadata.uid);
    const reserved = reserve(profile.plugins, pod, node, this.#view);
    state.assume(pod, node.name);
    const bind = (signal: AbortSignal) => this.#bind(pod, { profile, node, reserved }, signal);
    const isSlow = profile.plugins.some(({ preBind, concerns }) => preBind !== undefined && concerns?.(pod) !== false);
    // Volumes may take minutes: others are not held up by pods that wait for theirs.
    if (isSlow) this.#background.run(`binding ${pod.metadata.name}`, bind);
    else this.#call(`binding ${pod.metadata.name}`, bind);
  }

  #noNode(pod: Pod, profile: Profile, verdicts: Verdicts, plan: PreemptionPlan | undefined): void {
    const { uid } = pod.metadata;
    const { client, clock, logger } = this.#options;
    const state = this.#state;
    const total = state.nodes.length;
    const text = plan === undefined || plan.kind === "preempt" ? undefined : plan.text;
    const relief = reliefOf(pod, profile.plugins, this.#view);
    for (const act of relief.acts) {
      this.#call(`making room for ${pod.metadata.name}`, (signal) =>
        act({ client, cluster: this.#view, clock, signal }, logger),
      );
    }
    const message = unschedulableMessage(total, verdicts, text, relief.text);
    const nominated = plan?.kind === "preempt" ? plan.candidate.node.name : plan?.kind === "fruitless" ? "" : undefined;
    const promised = nominated ? { nominated } : {};
    this.#decisions.remember(uid, { kind: "unschedulable", verdicts, message, atMs: clock.now(), ...promised });
    // Without nodes nobody rejected the pod: whoever cares for new nodes speaks for it.
    const rejectedBy =
      total === 0 ? profile.plugins : [...verdicts.tally.keys()].map(({ plugin }) => ({ name: plugin }));
    const plugins = new Set(rejectedBy.map(({ name }) => name));
    if (plan?.kind === "preempt") this.#makeRoom(pod, profile, plan.candidate, plugins);
    else {
      if (nominated === "") state.nominations.remove(uid);
      this.#queue.reject(uid, plugins);
    }
    const told: Unscheduled = { reason: "Unschedulable", message, nominated };
    this.#call(`marking ${pod.metadata.name}`, (signal) => markUnscheduled(this.#tools(profile), pod, told, signal));
  }

  /**
   * Promises a node to the pod, takes the promise from less important ones, and ends the pods in its way. Until that is asked for the
   * pod counts as being tried: tried again earlier, it would look for room elsewhere.
   */
  #makeRoom(pod: Pod, profile: Profile, candidate: Candidate, rejectedBy: ReadonlySet<string>): void {
    const tools = this.#tools(profile);
    const { nominations } = this.#state;
    const { name } = candidate.node;
    const outdone = [...nominations.on(name).values()].filter((other) => priorityOf(other) < priorityOf(pod));
    nominations.put(pod, name);
    for (const other of outdone.sort(byImportance)) {
      nominations.remove(other.metadata.uid);
      this.#queue.activate(other.metadata.uid);
      this.#call(`clearing ${other.metadata.name}`, (signal) => clearNomination(tools, other, signal));
    }
    this.#call(`preempting for ${pod.metadata.name}`, async (signal) => {
      try {
        await preempt(tools, pod, candidate, signal);
        this.#queue.reject(pod.metadata.uid, rejectedBy);
      } catch (error) {
        if (isAbort(error, signal)) return;
        this.#options.logger.warn(`cannot make room for ${pod.metadata.name}: ${describeError(error)}`);
        this.#queue.fail(pod.metadata.uid);
      }
    });
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

  async #bind(
    pod: Pod,
    {
      profile,
      node,
      reserved,
    }: { readonly profile: Profile; readonly node: NodeInfo; readonly reserved: DisposableStack },
    signal: AbortSignal,
  ): Promise<void> {
    const { logger } = this.#options;
    const tools = this.#tools(profile);
    const { name, namespace, uid } = pod.metadata;
    try {
      await bindPod(profile.plugins, pod, node, {
        ...tools,
        cluster: this.#view,
        extenders: this.#decider.extenders,
        signal,
      });
      this.#queue.remove(uid);
    } catch (error) {
      reserved.dispose();
      if (isAbort(error, signal)) return;
      const now =
        isConflict(error) || isNotFound(error) ? undefined : await lookUpPod(pod, this.#options.client, signal);
      if (now?.spec.nodeName) {
        // The answer was lost, the binding was not.
        this.#state.putPod(now);
        this.#queue.remove(uid);
        return;
      }
      this.#state.forget(uid);
      this.#intake.happened({ kind: "podGone", gone: pod });
      if (isNotFound(error)) {
        this.#queue.remove(uid);
        return;
      }
      // Somebody else bound it or changed it: the informer will tell. Whatever it was, it is tried again.
      const text = `cannot bind ${namespace}/${name}: ${describeError(error)}`;
      // In a namespace that ends nothing is to be done about it.
      if (namespaceTerminates(error instanceof BindingFailed ? error.cause : error)) logger.debug(text);
      else if (!isConflict(error)) logger.warn(text);
      await this.#failed(pod, profile, error, signal);
    }
  }
}
