import { featuresToChange, type Pod, Pods, undeclaredBy } from "@skiff/api";
import { abortable, type Background, describeError } from "@skiff/base";
import type { CacheChange, Informer } from "@skiff/client";
import { declaredFeatures } from "../node/node-object.ts";
import type { NodeReporter } from "../node/node-reporter.ts";
import { isMirrorPod, isStaticPod } from "../static-pods/static-pod.ts";
import { admitPod, type Judgement } from "./admission.ts";
import type { NodeParts } from "./node-parts.ts";
import { type PodIdentity, podText } from "./pod-identity.ts";
import { podRemains, removeRemains } from "./pod-remains.ts";
import type { PodFailure } from "./pod-status.ts";
import { PodWorker } from "./pod-worker.ts";
import { removeOrphan } from "./remove-pod.ts";

const resyncMs = 60_000;
const hasEnded = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
/** Reasons to refuse a pod that depend on the node's own object, of which the kubelet may not have the newest state. */
const ofTheNodesObject: ReadonlySet<string> = new Set(["NodeAffinity", "TaintToleration"]);
/** The kubelet has begun with this pod before. */
const isKnown = (pod: Pod): boolean => pod.status?.startTime !== undefined;

/** All pods of the node: a worker for each that the API has, an end for each that only the runtime has. */
export class PodSet implements Disposable {
  readonly #parts: NodeParts;
  readonly #informer: Informer<Pod>;
  readonly #background: Background;
  readonly #reporter: Pick<NodeReporter, "facts" | "look">;
  readonly #workers = new Map<string, PodWorker>();
  readonly #orphans = new Set<string>();
  #static: readonly Pod[] = [];
  #listener: Disposable | undefined;

  constructor(options: {
    readonly parts: NodeParts;
    readonly informer: Informer<Pod>;
    readonly background: Background;
    /** Who knows the node's own object. */
    readonly reporter: Pick<NodeReporter, "facts" | "look">;
  }) {
    this.#parts = options.parts;
    this.#informer = options.informer;
    this.#background = options.background;
    this.#reporter = options.reporter;
  }

  /** Takes up the pods that the API has (which must have been listed), and ends those it has not. */
  start(): void {
    this.#listener = this.#informer.onChange((change) => this.#changed(change));
    this.#parts.mirrors.listed();
    this.#endOrphans();
    this.#background.run("pod resync", async (signal) => {
      for (;;) {
        await this.#parts.clock.sleep(resyncMs, signal);
        try {
          await this.#parts.cache.refresh(signal);
          this.#endOrphans();
          await this.removeLeftovers(signal);
          await this.#removeStrays(signal);
        } catch (error) {
          signal.throwIfAborted();
          this.#parts.logger.warn(`resync: ${describeError(error)}`);
        }
      }
    });
  }

  [Symbol.dispose](): void {
    this.#listener?.[Symbol.dispose]();
  }

  /** Pods that have a worker. */
  list(): readonly Pod[] {
    return [...this.#workers.values()].map((worker) => worker.pod);
  }

  /** Pods that have not ended. */
  active(): readonly Pod[] {
    return this.list().filter((pod) => !hasEnded(pod));
  }

  /** Active pods that the API still has: what is left of others stands in nobody's way. */
  counted(): readonly Pod[] {
    return [...this.#workers.values()].filter(({ pod, isInApi }) => isInApi && !hasEnded(pod)).map(({ pod }) => pod);
  }

  /** Looks again at pods that wait for room. */
  resourcesFreed(): void {
    this.#wakeWaiting();
    this.#weigh();
  }

  /** Ends a pod for the node's sake: it fails, and may be made anew elsewhere. */
  evict(pod: Pod, message: string, graceSeconds: number): void {
    const worker = this.#workers.get(pod.metadata.uid);
    if (worker === undefined) return;
    this.#parts.recorder.record(Pods, pod, { type: "Warning", reason: "Evicted", message });
    worker.fail({ reason: "Evicted", message, disruption: message }, graceSeconds);
  }

  /** Ends a pod and waits until nothing of it runs. Without a grace it has its own. */
  async end(pod: Pod, failure: PodFailure, options: { readonly graceSeconds?: number; readonly signal: AbortSignal }) {
    const worker = this.#workers.get(pod.metadata.uid);
    if (worker === undefined) return;
    worker.fail(failure, options.graceSeconds);
    await abortable(worker.over, options.signal);
  }

  find(namespace: string, name: string): Pod | undefined {
    return this.list().find((pod) => pod.metadata.namespace === namespace && pod.metadata.name === name);
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  objectsChanged(uids: readonly string[]): void {
    for (const uid of uids) this.#workers.get(uid)?.objectsChanged();
  }

  /** The pods of the node's own folder, all of them. One whose manifest changed waits for the end of what it was. */
  setStatic(pods: readonly Pod[]): void {
    this.#static = pods;
    const wanted = new Set(pods.map((pod) => pod.metadata.uid));
    for (const worker of this.#workers.values())
      if (isStaticPod(worker.pod) && !wanted.has(worker.pod.metadata.uid)) worker.removed();
    for (const pod of pods) {
      const { uid, name, namespace } = pod.metadata;
      if (!this.#workers.has(uid) && this.find(namespace, name) === undefined) this.#add(pod);
    }
  }

  #mirrorChanged(mirror: Pod, gone: boolean): void {
    this.#parts.mirrors.changed(mirror, gone);
    const { name, namespace } = mirror.metadata;
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.name === name && metadata.namespace === namespace) worker.mirrorChanged();
    }
  }

  #changed(change: CacheChange<Pod>): void {
    if (isMirrorPod(change.object)) {
      this.#mirrorChanged(change.object, change.kind === "deleted");
      return;
    }
    const { uid } = change.object.metadata;
    if (change.kind === "updated" && change.old.metadata.uid !== uid)
      this.#workers.get(change.old.metadata.uid)?.removed();
    const worker = this.#workers.get(uid);
    if (change.kind === "deleted") {
      worker?.update(change.object);
      worker?.removed();
      this.#wakeWaiting();
    } else if (worker !== undefined) {
      if (change.kind === "updated") this.#tellOfFeatures(change.old, change.object);
      worker.update(change.object);
    } else this.#add(change.object);
  }

  /** The API refuses changes of pods that their nodes cannot follow; one that came before it knew is told of. */
  #tellOfFeatures(old: Pod, pod: Pod): void {
    if (old.spec === pod.spec) return;
    const missing = undeclaredBy(
      { declaredFeatures: declaredFeatures(this.#parts.configuration) },
      featuresToChange(old.spec, pod.spec),
    );
    if (missing.length === 0) return;
    const message = `Pod requires node features that are not available: ${missing.join(", ")}`;
    this.#parts.recorder.record(Pods, pod, { type: "Warning", reason: "FailedNodeDeclaredFeaturesCheck", message });
  }

  #add(pod: Pod): void {
    const worker = new PodWorker(this.#parts, pod);
    const isNew = !isKnown(pod) && !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined;
    const judged: Judgement = isNew ? this.#admit(pod) : { kind: "admitted" };
    const { uid } = pod.metadata;
    this.#workers.set(uid, worker);
    this.#weigh();
    this.#background.run(`pod ${pod.metadata.namespace}/${pod.metadata.name}`, async (signal) => {
      try {
        if (isNew) await this.#settle(pod, { worker, judged, signal });
        await worker.run(signal);
      } finally {
        this.#workers.delete(uid);
        this.resourcesFreed();
        if (isStaticPod(pod) && !signal.aborted) this.setStatic(this.#static);
      }
    });
  }

  #wakeWaiting(): void {
    for (const worker of this.#workers.values()) if (worker.waitsForRoom) worker.wake();
  }

  #weigh(): void {
    this.#parts.cgroups.weighBurstable(this.active()).catch((error: unknown) => {
      this.#parts.logger.warn(`cgroup of burstable pods: ${describeError(error)}`);
    });
  }

  /** Makes room for a pod that the cluster cannot do without. */
  async #preempt(victims: readonly Pod[], signal: AbortSignal): Promise<void> {
    const message = "Preempted in order to admit critical pod";
    const disruption = "Pod was preempted by Kubelet to accommodate a critical pod.";
    await Promise.all(
      victims.map((victim) => {
        this.#parts.recorder.record(Pods, victim, { type: "Warning", reason: "Preempting", message });
        return this.end(victim, { reason: "Preempting", message, disruption }, { signal });
      }),
    );
  }

  #admit(pod: Pod): Judgement {
    const { node, allocatable, appArmor, runtime, configuration } = this.#parts;
    const others = this.counted().filter((one) => one.metadata.uid !== pod.metadata.uid);
    return admitPod(pod, {
      ...this.#reporter.facts,
      name: node.name,
      allocatable,
      allowedUnsafeSysctls: configuration.allowedUnsafeSysctls,
      appArmor,
      pressures: this.#parts.pods.pressures(),
      strictSupplementalGroups: runtime.features.supplementalGroupsPolicy,
      declaredFeatures: declaredFeatures(configuration),
      shuttingDown: this.#parts.pods.shuttingDown(),
      others,
    });
  }

  /**
   * Sets aside what the pod needs, or has it fail. A node whose labels or taints do not fit the pod may have others since a
   * moment ago: it is looked at once more.
   */
  async #settle(
    pod: Pod,
    {
      worker,
      judged,
      signal,
    }: { readonly worker: PodWorker; readonly judged: Judgement; readonly signal: AbortSignal },
  ): Promise<void> {
    const { grants, logger, recorder } = this.#parts;
    let last = judged;
    if (judged.kind === "refused" && ofTheNodesObject.has(judged.failure.reason)) {
      await this.#reporter.look(signal).catch((error: unknown) => {
        signal.throwIfAborted();
        logger.warn(`node: ${describeError(error)}`);
      });
      last = this.#admit(pod);
    }
    if (last.kind === "preempts") await this.#preempt(last.victims, signal);
    let failure = last.kind === "refused" ? last.failure : undefined;
    if (failure === undefined && grants.concerns(pod)) failure = await grants.admit(pod, signal);
    if (failure === undefined) return;
    const message = failure.message.replace("Pod was rejected: ", "");
    recorder.record(Pods, pod, { type: "Warning", reason: failure.reason, message });
    worker.fail(failure);
  }

  #endOrphans(): void {
    const wanted = new Set(this.#informer.list().map((pod) => pod.metadata.uid));
    for (const { metadata } of this.#static) wanted.add(metadata.uid);
    for (const pod of this.#parts.cache.pods()) {
      if (wanted.has(pod.uid) || this.#workers.has(pod.uid) || this.#orphans.has(pod.uid)) continue;
      this.#endOrphan(pod);
    }
  }

  /**
   * Removes what pods left on the machine that neither the API nor the runtime knows any more, after a crash of the machine, or
   * of this agent in the midst of their removal.
   */
  async removeLeftovers(signal: AbortSignal): Promise<void> {
    const { cache, grants, claims, logger } = this.#parts;
    const known = new Set([
      ...this.#informer.list().map((pod) => pod.metadata.uid),
      ...cache.pods().map((one) => one.uid),
    ]);
    const isStray = (uid: string) => !known.has(uid) && !this.#workers.has(uid) && !this.#orphans.has(uid);
    for (const uid of [...claims.holders()].filter(isStray)) {
      try {
        await claims.unprepare(uid, signal);
      } catch (error) {
        signal.throwIfAborted();
        logger.warn(`claims of pod ${uid}, which is gone: ${describeError(error)}`);
      }
    }
    for (const uid of grants.holders()) if (isStray(uid)) grants.release(uid);
    for (const uid of (await podRemains(this.#parts)).filter(isStray)) {
      try {
        await removeRemains(this.#parts, uid, signal);
      } catch (error) {
        signal.throwIfAborted();
        logger.warn(`orphaned pod ${uid} found, but its volumes are not cleaned up: ${describeError(error)}`);
      }
    }
  }

  async #removeStrays(signal: AbortSignal): Promise<void> {
    const { runtime, logger } = this.#parts;
    for (const stray of await runtime.removeStrays(signal))
      logger.info(`took away ${stray}, which belongs to no sandbox that the runtime knows`);
  }

  #endOrphan(pod: PodIdentity): void {
    this.#parts.logger.info(`ending pod ${podText(pod)}, which the API does not have`);
    this.#orphans.add(pod.uid);
    this.#background.run(`orphan ${podText(pod)}`, async (signal) => {
      try {
        await removeOrphan(this.#parts, pod, signal);
      } finally {
        this.#orphans.delete(pod.uid);
      }
    });
  }
}
