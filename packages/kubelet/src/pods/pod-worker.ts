import { isConflict, isNotFound, type Pod, Pods } from "@skiff/api";
import { describeError, isAbort, resolvedOrAborted } from "@skiff/base";
import { PodResize } from "../resize/pod-resize.ts";
import { ContainerStarts } from "./container-starts.ts";
import type { NodeParts } from "./node-parts.ts";
import { type PodPlan, planPod, type StopAction } from "./plan.ts";
import { podIdentity, podText } from "./pod-identity.ts";
import { PodObserver } from "./pod-observer.ts";
import type { PodFailure } from "./pod-status.ts";
import { collectGarbage, removeContainers, removePod } from "./remove-pod.ts";
import { SandboxKeeper } from "./sandbox-keeper.ts";
import { stopContainer } from "./stop-container.ts";
import { terminatePod } from "./terminate-pod.ts";
import { VolumeSync } from "./volume-sync.ts";

/**
 * Where a pod is on its one-way path: it runs; its containers are being ended; all have ended and only the object is
 * left; nothing is left.
 */
type Stage = "running" | "ending" | "ended" | "removed";

/** Stands for the removal of all containers among the stops of single ones. */
const everything = "";
const resyncMs = 60_000;
const retryMs = 1000;
/** Who has just asked for a pod's deletion finds it for so long at least, ending: nodes of other makes take a second. */
const farewellMs = 250;
const isTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Makes one pod be what its object says, from its first sandbox to the removal of its last file. */
export class PodWorker {
  readonly #parts: NodeParts;
  readonly #observer: PodObserver;
  readonly #volumes: VolumeSync;
  readonly #starts: ContainerStarts;
  readonly #sandbox: SandboxKeeper;
  readonly #resize: PodResize;
  readonly #stopping = new Map<string, Promise<void>>();
  /** Ids of containers whose place others are taking, by name. */
  readonly #replaced = new Map<string, string>();
  /** Containers that were stopped to be started anew with other resources. */
  readonly #restarting = new Set<string>();
  /** Ends work that only makes sense while the pod shall run. */
  readonly #life = new AbortController();
  /** As the API has it. */
  #wanted: Pod;
  /** As the node has granted it: a resize that there is no room for is left out. */
  #pod: Pod;
  #stage: Stage = "running";
  #failure: PodFailure | undefined;
  #removedFromApi = false;
  /** When the deletion was first heard of. */
  #deletedAtMs: number | undefined;
  #graceSeconds: number | undefined;
  #graceChanged = new AbortController();
  #woken = Promise.withResolvers<void>();
  #recheckAtMs = 0;
  #volumesRun: Promise<void> = Promise.resolve();
  readonly #over = Promise.withResolvers<void>();

  constructor(parts: NodeParts, pod: Pod) {
    const wake = () => this.wake();
    this.#parts = parts;
    this.#wanted = pod;
    this.#pod = pod;
    this.#resize = new PodResize(parts);
    this.#observer = new PodObserver(parts, pod, wake);
    this.#volumes = new VolumeSync(parts, pod, (failure) => this.fail(failure));
    this.#starts = new ContainerStarts(parts, this.#volumes.ready, wake);
    this.#sandbox = new SandboxKeeper(parts, wake);
  }

  /** As the node has granted it by now: a resize that is under way counts for others from its beginning. */
  get pod(): Pod {
    return this.#observer.status.withLatest(this.#resize.granted(this.#wanted));
  }

  /** A resize of the pod waits for room on the node. */
  get waitsForRoom(): boolean {
    return this.#resize.isDeferred;
  }

  /** Resolves once nothing of the pod runs any more, or nobody cares. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** The pod failed for a reason of the node's own; its containers are ended, within the given grace or their own. */
  fail(failure: PodFailure, graceSeconds?: number): void {
    if (this.#failure === undefined && this.#stage === "running") this.#shortenGrace(graceSeconds);
    this.#failure ??= failure;
    this.wake();
  }

  /** The pod's object changed. */
  update(wanted: Pod): void {
    const pod = this.#resize.granted(wanted);
    this.#wanted = wanted;
    this.#pod = pod;
    this.#observer.update(pod);
    this.#volumes.update(pod);
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.#deletedAtMs ??= this.#parts.clock.monotonic();
      this.#shortenGrace(pod.metadata.deletionGracePeriodSeconds);
    }
    this.wake();
  }

  /** The pod's object is gone from the API. */
  removed(): void {
    this.#removedFromApi = true;
    this.#shortenGrace(this.#pod.metadata.deletionGracePeriodSeconds);
    this.wake();
  }

  /** The API's picture of this static pod came or went: its status is written anew. */
  mirrorChanged(): void {
    this.#observer.status.mirrorChanged(this.#pod);
    this.wake();
  }

  /** An object that the pod refers to changed. */
  objectsChanged(): void {
    this.#starts.retryConfiguration();
    this.#volumes.update(this.#pod);
    this.wake();
  }

  wake(): void {
    this.#woken.resolve();
  }

  /** Works until the pod is gone from node and API, or until aborted: then containers are left as they are. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts;
    const life = AbortSignal.any([signal, this.#life.signal]);
    this.#volumesRun = this.#volumes.run(life);
    try {
      if (this.#pod.status?.startTime !== undefined) await this.#resize.load(this.#wanted);
      while (!signal.aborted && !this.#isRemoved()) {
        this.#woken = Promise.withResolvers<void>();
        this.#recheckAtMs = clock.monotonic() + resyncMs;
        try {
          await this.#step(signal, life);
        } catch (error) {
          if (isAbort(error, signal)) return;
          if (!isAbort(error, life)) logger.warn(`pod ${podText(podIdentity(this.#pod))}: ${describeError(error)}`);
          this.#recheckIn(retryMs);
        }
        if (this.#isRemoved()) return;
        using _ = clock.after(Math.max(0, this.#recheckAtMs - clock.monotonic()), () => this.wake());
        await resolvedOrAborted(this.#woken.promise, signal);
      }
    } finally {
      this.#life.abort();
      await Promise.allSettled([this.#volumesRun, this.#settled()]);
      await this.#observer[Symbol.asyncDispose]();
      this.#over.resolve();
    }
  }

  /** Whether the API has the pod still. */
  get isInApi(): boolean {
    return !this.#removedFromApi;
  }

  #isRemoved(): boolean {
    return this.#stage === "removed";
  }

  async #settled(): Promise<void> {
    await Promise.all([this.#starts.settled(), this.#sandbox.settled(), ...this.#stopping.values()]);
  }

  #recheckIn(ms: number): void {
    this.#recheckAtMs = Math.min(this.#recheckAtMs, this.#parts.clock.monotonic() + Math.max(0, ms));
  }

  /** A second, shorter grace takes the place of one that is running. */
  #shortenGrace(seconds: number | undefined): void {
    if (seconds === undefined || (this.#graceSeconds !== undefined && seconds >= this.#graceSeconds)) return;
    const running = this.#graceSeconds !== undefined;
    this.#graceSeconds = seconds;
    if (!running) return;
    this.#graceChanged.abort();
    this.#graceChanged = new AbortController();
  }

  get #isDeleted(): boolean {
    return this.#removedFromApi || this.#pod.metadata.deletionTimestamp !== undefined;
  }

  async #step(signal: AbortSignal, life: AbortSignal): Promise<void> {
    const deleted = this.#isDeleted;
    if (this.#stage === "running") {
      this.#checkDeadline();
      if (!deleted && this.#failure === undefined && !isTerminal(this.#pod)) return this.#sync(signal, life);
      this.#stage = "ending";
    }
    if (this.#stage === "ending") await this.#end(signal);
    if (this.#stage === "ended" && deleted) await this.#remove(signal);
  }

  async #sync(signal: AbortSignal, life: AbortSignal): Promise<void> {
    const starting = this.#starts.underWay;
    const resize = await this.#resize.step(this.#wanted, starting, life);
    const pod = this.#resize.granted(this.#wanted);
    this.#pod = pod;
    if (resize.recheckMs !== undefined) this.#recheckIn(resize.recheckMs);
    const plan = planPod({
      pod,
      view: this.#parts.cache.view(pod.metadata.uid),
      starting,
      stopping: new Set(this.#stopping.keys()),
      restarting: this.#restarting,
      sandboxBusy: this.#sandbox.busy,
      backoffMs: (container, last) => this.#starts.backoffMs(container, last),
      liveness: (name) => this.#observer.verdict(pod, name, "liveness"),
      startup: (name) =>
        this.#observer.isStarted(pod, name, starting) ? "success" : this.#observer.verdict(pod, name, "startup"),
    });
    const resizing = resize.stop.filter((one) => !this.#stopping.has(one.container.id));
    for (const { container } of resizing) this.#restarting.add(container.id);
    this.#act({ ...plan, stop: [...plan.stop, ...resizing] }, life);
    // One that is replaced is told of when the other is there: nobody has to see the pod unready in between.
    for (const [name, id] of this.#replaced) {
      if (!this.#stopping.has(id) && !this.#starts.underWay.has(name)) this.#replaced.delete(name);
    }
    if (this.#replaced.size === 0) await this.#report(signal, false);
    await collectGarbage(this.#parts, pod.metadata.uid, life);
    if (!plan.finished || this.#starts.underWay.size > 0) return;
    this.#stage = "ending";
    this.wake();
  }

  #act(plan: PodPlan, life: AbortSignal): void {
    const pod = this.#pod;
    if (plan.createSandbox !== undefined) {
      const waitMs = this.#sandbox.make(pod, { attempt: plan.createSandbox, old: plan.stopSandboxes, signal: life });
      if (waitMs > 0) this.#recheckIn(waitMs);
    } else if (!plan.finished) this.#sandbox.stop(plan.stopSandboxes, life);
    for (const { container, remainingMs } of plan.backoff) {
      this.#recheckIn(remainingMs);
      this.#starts.announceBackoff(pod, container);
    }
    for (const action of plan.stop) this.#stop(action, life);
    if (plan.removeAll) this.#removeAll(life);
    this.#starts.startAll(pod, plan.start, life);
  }

  #stop({ container, message, abrupt = false, replaced = false }: StopAction, life: AbortSignal): void {
    const pod = this.#pod;
    const { name, id } = container;
    if (replaced) this.#replaced.set(name, id);
    const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === name);
    const probe = this.#observer.verdict(pod, name, "startup") === "failure" ? spec?.startupProbe : spec?.livenessProbe;
    const ownSeconds = probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    const graceSeconds = abrupt ? 0 : ownSeconds;
    const podIp = this.#observer.podIp(pod);
    const task = stopContainer(this.#parts, pod, container, { graceSeconds, message, podIp, signal: life })
      .catch((error: unknown) => {
        if (!isAbort(error, life)) this.#parts.logger.warn(`stop of ${name}: ${describeError(error)}`);
      })
      .finally(() => {
        this.#stopping.delete(id);
        this.wake();
      });
    this.#stopping.set(id, task);
  }

  /** Forgets all containers, which have ended: the pod begins anew in its sandbox. */
  #removeAll(life: AbortSignal): void {
    const task = removeContainers(this.#parts, this.#pod, life)
      .catch((error: unknown) => {
        if (!isAbort(error, life)) this.#parts.logger.warn(`removal of containers: ${describeError(error)}`);
      })
      .finally(() => {
        this.#stopping.delete(everything);
        this.wake();
      });
    this.#stopping.set(everything, task);
  }

  #checkDeadline(): void {
    const { activeDeadlineSeconds } = this.#pod.spec;
    const { startTime } = this.pod.status ?? {};
    if (activeDeadlineSeconds === undefined || startTime === undefined || this.#failure !== undefined) return;
    const leftMs = Date.parse(startTime) + activeDeadlineSeconds * 1000 - this.#parts.clock.now();
    if (leftMs > 0) {
      this.#recheckIn(leftMs);
      return;
    }
    const message = "Pod was active on the node longer than the specified deadline";
    this.#failure = { reason: "DeadlineExceeded", message };
    this.#parts.recorder.record(Pods, this.#pod, { type: "Normal", reason: "DeadlineExceeded", message });
  }

  async #report(signal: AbortSignal, terminal: boolean): Promise<void> {
    if (this.#removedFromApi) return;
    const input = {
      waiting: this.#starts.waiting,
      starting: this.#starts.underWay,
      failure: this.#failure,
      terminating: this.#stage !== "running",
      resize: this.#resize,
      terminal,
    };
    await this.#observer.report(this.#pod, input, signal);
  }

  /** Ends what runs, and reports how it ended. */
  async #end(signal: AbortSignal): Promise<void> {
    const busy = this.#starts.underWay.size > 0 || this.#sandbox.busy || this.#stopping.size > 0;
    this.#life.abort();
    if (busy) {
      await this.#settled();
      // What was cut short may have left something that nobody has heard of.
      await this.#parts.cache.refresh(signal);
    }
    const deadline = AbortSignal.any([signal, this.#graceChanged.signal]);
    const graceSeconds = Math.max(1, this.#graceSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30);
    this.#graceSeconds ??= graceSeconds;
    this.#observer.ending();
    const options = { graceSeconds, isRemovedNext: this.#isDeleted, signal: deadline };
    try {
      await this.#watching(terminatePod(this.#parts, this.#pod, options), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!deadline.aborted) throw error;
      // A shorter grace was asked for: from the top, with that.
      this.wake();
      return;
    }
    // Devices are given up before anybody hears that the pod has ended: who hears it may give them to another.
    await this.#parts.claims.unprepare(this.#pod.metadata.uid, signal);
    // Whatever woke this pod meanwhile, its deletion for one, is yet to be looked at.
    this.wake();
    await this.#report(signal, true);
    await this.#observer.status.flushed();
    // Nothing is set up any more once this has ended.
    await this.#volumesRun;
    await this.#parts.volumes.tearDown(this.#pod.metadata.uid, signal);
    this.#parts.grants.release(this.#pod.metadata.uid);
    this.#stage = "ended";
    this.#over.resolve();
    this.#parts.pods.resourcesFreed();
  }

  /** Reports what happens to the pod while `work` goes on. */
  async #watching(work: Promise<void>, signal: AbortSignal): Promise<void> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
      this.wake();
    });
    finished.catch(() => {});
    for (;;) {
      this.#woken = Promise.withResolvers<void>();
      if (done) return await finished;
      await this.#report(signal, false);
      if (!done) await this.#woken.promise;
    }
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { name, namespace, uid } = this.#pod.metadata;
    await this.#observer.status.flushed();
    await removePod(this.#parts, podIdentity(this.#pod), signal);
    if (!this.#removedFromApi) {
      const { clock } = this.#parts;
      const leftMs = (this.#deletedAtMs ?? 0) + farewellMs - clock.monotonic();
      if (leftMs > 0) await clock.sleep(leftMs, signal);
      try {
        const options = { gracePeriodSeconds: 0, preconditions: { uid }, signal };
        await this.#parts.client.delete(Pods, { name, namespace }, options);
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    }
    this.#stage = "removed";
  }
}
