import { type Container, isConflict, isNotFound, type Pod, Pods } from "@skiff/api";
import { aborted, describeError, isAbort } from "@skiff/base";
import { PodProbes } from "../probes/pod-probes.ts";
import type { Waiting } from "./container-status.ts";
import { durationText } from "./duration-text.ts";
import { configOfSandbox, makeSandbox } from "./make-sandbox.ts";
import type { NodeParts } from "./node-parts.ts";
import { newest, type PodPlan, planPod } from "./plan.ts";
import { podIdentity, podText } from "./pod-identity.ts";
import { type PodFailure, podStatus } from "./pod-status.ts";
import { collectGarbage, removePod } from "./remove-pod.ts";
import { restartCountOf } from "./runtime-labels.ts";
import { StartBackoff } from "./start-backoff.ts";
import { StartFailure, startContainer } from "./start-container.ts";
import { StatusWriter } from "./status-writer.ts";
import { stopContainer } from "./stop-container.ts";
import { terminatePod } from "./terminate-pod.ts";
import { terminationMessage } from "./termination-message.ts";
import { VolumeSync } from "./volume-sync.ts";

/** Where a pod is on its one-way path. */
type Stage =
  | { readonly kind: "running" }
  /** Its containers are being ended, or have all ended. */
  | { readonly kind: "ending" }
  /** All has ended; the object is still there and stays until somebody deletes it. */
  | { readonly kind: "ended" }
  | { readonly kind: "removed" };

interface WaitingUntil extends Waiting {
  readonly retryAtMs: number;
}

const resyncMs = 60_000;
const isTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Makes one pod be what its object says, from its first sandbox to the removal of its last file. */
export class PodWorker {
  readonly #parts: NodeParts;
  readonly #status: StatusWriter;
  readonly #probes: PodProbes;
  readonly #volumes: VolumeSync;
  readonly #backoff: StartBackoff;
  readonly #starting = new Map<string, Promise<void>>();
  readonly #stopping = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, WaitingUntil>();
  readonly #messages = new Map<string, string>();
  /** The ended container that the back-off of each name has counted last. */
  readonly #counted = new Map<string, string>();
  /** Ends work that only makes sense while the pod shall run. */
  readonly #life = new AbortController();
  #pod: Pod;
  #stage: Stage = { kind: "running" };
  #failure: PodFailure | undefined;
  #sandboxTask: Promise<void> | undefined;
  #sandboxRetry = { attempt: 0, atMs: 0, failures: 0 };
  #removedFromApi = false;
  #graceSeconds: number | undefined;
  #graceChanged = new AbortController();
  #wake = Promise.withResolvers<void>();
  #recheckAtMs = 0;

  constructor(parts: NodeParts, pod: Pod) {
    this.#parts = parts;
    this.#pod = pod;
    this.#status = new StatusWriter(parts, pod.metadata.uid);
    this.#volumes = new VolumeSync(parts, pod);
    this.#backoff = new StartBackoff(parts.clock);
    const { runtime, recorder, clock, random, logger } = parts;
    this.#probes = new PodProbes(pod, { runtime, recorder, clock, random, logger, onChange: () => this.wake() });
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** The pod failed for a reason of the node's own; its containers are ended. */
  fail(failure: PodFailure): void {
    this.#failure ??= failure;
    this.wake();
  }

  /** The pod's object changed. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.#probes.pod = pod;
    this.#volumes.update(pod);
    if (pod.metadata.deletionTimestamp !== undefined) this.#shortenGrace(pod.metadata.deletionGracePeriodSeconds);
    this.wake();
  }

  /** The pod's object is gone from the API. */
  removed(): void {
    this.#removedFromApi = true;
    this.#shortenGrace(this.#pod.metadata.deletionGracePeriodSeconds);
    this.wake();
  }

  /** An object that the pod refers to changed. */
  objectsChanged(): void {
    for (const [name, waiting] of this.#waiting)
      if (waiting.reason === "CreateContainerConfigError") this.#waiting.set(name, { ...waiting, retryAtMs: 0 });
    this.#volumes.update(this.#pod);
    this.wake();
  }

  wake(): void {
    this.#wake.resolve();
  }

  /** Works until the pod is gone from node and API, or until aborted: then containers are left as they are. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts;
    const life = AbortSignal.any([signal, this.#life.signal]);
    const volumes = this.#volumes.run(life);
    try {
      while (!signal.aborted && this.#stage.kind !== "removed") {
        this.#wake = Promise.withResolvers<void>();
        this.#recheckAtMs = clock.now() + resyncMs;
        try {
          await this.#step(signal, life);
        } catch (error) {
          if (isAbort(error, signal)) return;
          logger.warn(`pod ${podText(podIdentity(this.#pod))}: ${describeError(error)}`);
          this.#recheckIn(1000);
        }
        using _ = clock.after(Math.max(0, this.#recheckAtMs - clock.now()), () => this.wake());
        await Promise.race([this.#wake.promise, aborted(signal)]);
      }
    } finally {
      this.#life.abort();
      await Promise.allSettled([volumes, ...this.#starting.values(), ...this.#stopping.values(), this.#sandboxTask]);
      await this.#probes[Symbol.asyncDispose]();
    }
  }

  #recheckIn(ms: number): void {
    this.#recheckAtMs = Math.min(this.#recheckAtMs, this.#parts.clock.now() + Math.max(0, ms));
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

  async #step(signal: AbortSignal, life: AbortSignal): Promise<void> {
    const deleted = this.#removedFromApi || this.#pod.metadata.deletionTimestamp !== undefined;
    if (this.#stage.kind === "running") {
      this.#checkDeadline();
      if (deleted || this.#failure !== undefined || isTerminal(this.#pod)) this.#stage = { kind: "ending" };
      else return this.#sync(signal, life);
    }
    if (this.#stage.kind === "ending") await this.#end(signal);
    if (this.#stage.kind === "ended" && deleted) await this.#remove(signal);
  }

  async #sync(signal: AbortSignal, life: AbortSignal): Promise<void> {
    const { cache } = this.#parts;
    const { uid } = this.#pod.metadata;
    const plan = planPod({
      pod: this.#pod,
      view: cache.view(uid),
      starting: new Set(this.#starting.keys()),
      stopping: new Set(this.#stopping.keys()),
      sandboxBusy: this.#sandboxTask !== undefined,
      backoffMs: (container, last) => this.#backoffMs(container, last),
      liveness: (name) => this.#verdict(name, "liveness"),
      startup: (name) => (this.#isStarted(name) ? "success" : this.#verdict(name, "startup")),
    });
    this.#act(plan, life);
    await this.#report(signal, { terminal: false });
    await collectGarbage(this.#parts, uid, life);
    if (plan.finished && this.#starting.size === 0) {
      this.#stage = { kind: "ending" };
      this.wake();
    }
  }

  #act(plan: PodPlan, life: AbortSignal): void {
    if (plan.createSandbox !== undefined) this.#makeSandbox(plan.createSandbox, plan, life);
    else if (plan.stopSandboxes.length > 0 && !plan.finished) this.#stopSandboxes(plan, life);
    for (const { container, remainingMs } of plan.backoff) {
      this.#recheckIn(remainingMs);
      this.#announceBackoff(container);
    }
    for (const { container, message } of plan.stop) {
      const podIp = this.#podIp();
      const graceSeconds = this.#probeGrace(container.name) ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30;
      const task = stopContainer(this.#parts, this.#pod, container, { graceSeconds, message, podIp, signal: life });
      this.#track(this.#stopping, container.id, task);
    }
    let turn: Promise<void> = Promise.resolve();
    for (const container of plan.start) turn = this.#start(container, turn, life);
  }

  #probeGrace(name: string): number | undefined {
    const container = this.#pod.spec.containers.find((one) => one.name === name);
    return container?.livenessProbe?.terminationGracePeriodSeconds;
  }

  #podIp(): string {
    const ready = this.#parts.cache.view(this.#pod.metadata.uid).sandboxes[0];
    return this.#pod.spec.hostNetwork === true ? (this.#parts.node.addresses[0] ?? "") : (ready?.ips[0] ?? "");
  }

  #track(tasks: Map<string, Promise<void>>, key: string, task: Promise<void>): Promise<void> {
    const tracked = task
      .catch((error: unknown) => {
        if (!isAbort(error)) this.#parts.logger.warn(`pod ${this.#pod.metadata.name}: ${describeError(error)}`);
      })
      .finally(() => {
        tasks.delete(key);
        this.wake();
      });
    tasks.set(key, tracked);
    return tracked;
  }

  #makeSandbox(attempt: number, plan: PodPlan, life: AbortSignal): void {
    const { clock } = this.#parts;
    const waitMs = this.#sandboxRetry.atMs - clock.now();
    if (waitMs > 0) {
      this.#recheckIn(waitMs);
      return;
    }
    const number = Math.max(attempt, this.#sandboxRetry.attempt);
    this.#sandboxTask = makeSandbox(this.#parts, this.#pod, { attempt: number, old: plan.stopSandboxes, signal: life })
      .then(() => {
        this.#sandboxRetry = { attempt: 0, atMs: 0, failures: 0 };
      })
      .catch(() => {
        const failures = this.#sandboxRetry.failures + 1;
        this.#sandboxRetry = {
          attempt: number + 1,
          atMs: clock.now() + Math.min(15_000, 1000 * 2 ** Math.min(failures, 4)),
          failures,
        };
      })
      .finally(() => {
        this.#sandboxTask = undefined;
        this.wake();
      });
  }

  #stopSandboxes(plan: PodPlan, life: AbortSignal): void {
    const { runtime, cache } = this.#parts;
    const stale = plan.stopSandboxes.filter((one) => one.state === "ready");
    if (stale.length === 0) return;
    this.#sandboxTask = Promise.all(
      stale.map(async (one) => {
        await runtime.stopPodSandbox(one.id, life);
        await cache.refreshSandbox(one.id, life);
      }),
    )
      .then(() => {})
      .catch(() => {})
      .finally(() => {
        this.#sandboxTask = undefined;
        this.wake();
      });
  }

  #backoffMs(container: Container, last: ReturnType<typeof newest>): number {
    const waiting = this.#waiting.get(container.name);
    const retryMs = waiting === undefined ? 0 : waiting.retryAtMs - this.#parts.clock.now();
    const crashMs = last?.state === "exited" ? this.#backoff.remainingMs(container.name, last.finishedAtMs) : 0;
    return Math.max(retryMs, crashMs);
  }

  #announceBackoff(container: Container): void {
    const { cache, recorder } = this.#parts;
    const last = newest(cache.view(this.#pod.metadata.uid), container.name);
    if (last?.state !== "exited") return;
    const remainingMs = this.#backoff.remainingMs(container.name, last.finishedAtMs);
    if (remainingMs <= 0) return;
    const pod = podText(podIdentity(this.#pod));
    const message = `back-off ${durationText(this.#backoff.delayMs(container.name))} restarting failed container=${container.name} pod=${pod}`;
    const known = this.#waiting.get(container.name);
    if (known?.reason === "CrashLoopBackOff" && known.message === message) return;
    this.#waiting.set(container.name, { reason: "CrashLoopBackOff", message, retryAtMs: 0 });
    recorder.record(Pods, this.#pod, {
      type: "Warning",
      reason: "BackOff",
      message: `Back-off restarting failed container ${container.name} in pod ${pod}`,
      fieldPath: `spec.containers{${container.name}}`,
    });
  }

  #start(container: Container, turn: Promise<void>, life: AbortSignal): Promise<void> {
    const { cache, clock } = this.#parts;
    const pod = this.#pod;
    const view = cache.view(pod.metadata.uid);
    const sandbox = view.sandboxes.find((one) => one.state === "ready");
    if (sandbox === undefined) return turn;
    const last = newest(view, container.name);
    // Each end counts once, however often its successor's image cannot be had.
    if (last?.state === "exited" && this.#counted.get(container.name) !== last.id) {
      this.#counted.set(container.name, last.id);
      this.#backoff.started(container.name, last.finishedAtMs);
    }
    const task = startContainer(this.#parts, {
      pod,
      container,
      attempt: this.#nextAttempt(container, last),
      signal: life,
      volumes: this.#volumes.ready,
      sandbox: Promise.resolve({
        status: sandbox,
        config: configOfSandbox(this.#parts, pod, sandbox.metadata.attempt),
      }),
      turn,
    }).then(
      () => {
        this.#waiting.delete(container.name);
      },
      (error: unknown) => {
        if (!(error instanceof StartFailure)) throw error;
        const retryAtMs = clock.now() + error.retryMs;
        this.#waiting.set(container.name, { reason: error.reason, message: error.message, retryAtMs });
      },
    );
    return this.#track(this.#starting, container.name, task);
  }

  /** Counts on from what the runtime has, or else from what the API knows. */
  #nextAttempt(container: Container, last: ReturnType<typeof newest>): number {
    if (last !== undefined) return restartCountOf(last) + 1;
    const { containerStatuses = [], initContainerStatuses = [] } = this.#pod.status ?? {};
    const known = [...containerStatuses, ...initContainerStatuses].find((one) => one.name === container.name);
    return known?.containerID === undefined ? 0 : known.restartCount + 1;
  }

  #checkDeadline(): void {
    const { activeDeadlineSeconds } = this.#pod.spec;
    const startTime = this.#status.withLatest(this.#pod).status?.startTime;
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

  #running(name: string) {
    const last = newest(this.#parts.cache.view(this.#pod.metadata.uid), name);
    return last?.state === "running" ? last : undefined;
  }

  #verdict(name: string, kind: "startup" | "liveness" | "readiness") {
    const running = this.#running(name);
    return running === undefined ? "unknown" : this.#probes.verdict(running.id, kind);
  }

  #container(name: string): Container | undefined {
    return [...this.#pod.spec.containers, ...(this.#pod.spec.initContainers ?? [])].find((one) => one.name === name);
  }

  #isStarted(name: string): boolean {
    const container = this.#container(name);
    if (container?.lifecycle?.postStart !== undefined && this.#starting.has(name)) return false;
    return container?.startupProbe === undefined || this.#verdict(name, "startup") === "success";
  }

  #isReady(name: string): boolean {
    return this.#container(name)?.readinessProbe === undefined || this.#verdict(name, "readiness") === "success";
  }

  #watchProbes(): void {
    const alive = new Set<string>();
    const known = [...(this.#pod.status?.containerStatuses ?? []), ...(this.#pod.status?.initContainerStatuses ?? [])];
    for (const { name } of [...this.#pod.spec.containers, ...(this.#pod.spec.initContainers ?? [])]) {
      const container = this.#container(name);
      const running = this.#running(name);
      if (container === undefined || running === undefined) continue;
      alive.add(running.id);
      // A container that was found running keeps what the API knows of it: a restart of the agent changes nothing.
      const status = known.find((one) => one.containerID?.endsWith(`//${running.id}`));
      const seed = { started: status?.started === true, ready: status?.ready === true };
      this.#probes.watch(container, { containerId: running.id, podIp: this.#podIp(), seed });
    }
    this.#probes.keep(alive);
  }

  async #report(signal: AbortSignal, options: { readonly terminal: boolean }): Promise<void> {
    const { cache, folders, clock, node, runtimeName } = this.#parts;
    this.#watchProbes();
    const view = cache.view(this.#pod.metadata.uid);
    for (const one of view.containers) {
      if (one.state !== "exited" || this.#messages.has(one.id)) continue;
      this.#messages.set(one.id, await terminationMessage(folders, podIdentity(this.#pod), one));
    }
    const pod = this.#status.withLatest(this.#pod);
    const status = podStatus({
      pod,
      view,
      waiting: this.#waiting,
      messages: this.#messages,
      runtimeName,
      started: (name) => this.#isStarted(name),
      ready: (name) => this.#isReady(name),
      terminating: this.#stage.kind !== "running",
      nowMs: clock.now(),
      hostAddresses: node.addresses,
      failure: this.#failure,
      terminal: options.terminal,
    });
    if (!this.#removedFromApi) this.#status.set(this.#pod, status, signal);
  }

  /** Ends what runs, reports how it ended, and lets go of what only running containers need. */
  async #end(signal: AbortSignal): Promise<void> {
    const { cache } = this.#parts;
    this.#life.abort();
    const pending = [...this.#starting.values(), ...this.#stopping.values(), this.#sandboxTask];
    if (pending.some((one) => one !== undefined)) {
      await Promise.allSettled(pending);
      // What was cut short may have left something that nobody has heard of.
      await cache.refresh(signal);
    }
    const deadline = AbortSignal.any([signal, this.#graceChanged.signal]);
    const graceSeconds = Math.max(1, this.#graceSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30);
    this.#graceSeconds ??= graceSeconds;
    try {
      await terminatePod(this.#parts, this.#pod, { graceSeconds, signal: deadline });
    } catch (error) {
      signal.throwIfAborted();
      if (!deadline.aborted) throw error;
      this.wake();
      return;
    }
    await this.#report(signal, { terminal: true });
    await this.#status.flushed();
    this.#stage = { kind: "ended" };
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { client } = this.#parts;
    const { name, namespace, uid } = this.#pod.metadata;
    await this.#status.flushed();
    await removePod(this.#parts, podIdentity(this.#pod), signal);
    if (!this.#removedFromApi) {
      try {
        const preconditions = { uid };
        await client.delete(Pods, { name, namespace }, { gracePeriodSeconds: 0, preconditions, signal });
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    }
    this.#stage = { kind: "removed" };
  }
}
