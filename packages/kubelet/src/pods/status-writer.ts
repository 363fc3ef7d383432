import { isConflict, isNotFound, type Pod, type PodStatus, Pods } from "@skiff/api";
import { describeError, isAbort, jsonEqual, resolvedOrAborted } from "@skiff/base";
import { isMirrorPod, isStaticPod } from "../static-pods/static-pod.ts";
import { isWritten, ownedConditions } from "./conditions.ts";
import type { NodeParts } from "./node-parts.ts";

/** For so long a state that is passed through on the way to another waits to be overtaken by that one. */
const passingMs = 300;
const onTheWay: ReadonlySet<string | undefined> = new Set(["ContainerCreating", "PodInitializing"]);

/** All of a pod's containers are being made: soon there will be more to tell. */
const isPassing = ({ phase, initContainerStatuses = [], containerStatuses = [] }: PodStatus): boolean =>
  phase === "Pending" &&
  [...initContainerStatuses, ...containerStatuses].every(({ state }) => onTheWay.has(state?.waiting?.reason));

/** What of the node writing a status needs. */
export type StatusWriterParts = Pick<NodeParts, "client" | "clock" | "logger" | "mirrors" | "lifeCounts">;

/**
 * Writes one pod's status as soon as it changed, one write at a time: while one is under way only the newest is kept.
 * What a pod passes through while its containers are being made is told when it lasts.
 * A pod that was deleted or replaced meanwhile is left alone.
 */
export class StatusWriter {
  readonly #parts: StatusWriterParts;
  #written: PodStatus | undefined;
  /** What `withLatest` gave last: it is asked for far more often than it changes. */
  #latest: { readonly pod: Pod; readonly own: PodStatus; readonly whole: Pod } | undefined;
  /** What the picture of a static pod was given, and its uid. */
  #shown: PodStatus | undefined;
  #mirror: string | undefined;
  #wanted: { readonly pod: Pod; readonly status: PodStatus } | undefined;
  #writing: Promise<void> | undefined;
  /** Ends the wait for a state that is passed through. */
  #hurry: () => void = () => {};

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
  }

  /** The pod with the newest status that is known: what was computed last, with the conditions that others own. */
  withLatest(pod: Pod): Pod {
    const own = this.#wanted?.status ?? this.#written;
    if (own === undefined) return pod;
    const known = this.#latest;
    if (known?.pod === pod && known.own === own) return known.whole;
    const foreign = (pod.status?.conditions ?? []).filter((one) => !ownedConditions.has(one.type));
    const conditions = [...(own.conditions ?? []).filter((one) => ownedConditions.has(one.type)), ...foreign];
    const whole = { ...pod, status: { ...own, conditions } };
    this.#latest = { pod, own, whole };
    return whole;
  }

  /** Resolves when what was set last has been written (or could not be). */
  async flushed(): Promise<void> {
    this.#hurry();
    while (this.#writing !== undefined) await this.#writing;
  }

  /** A static pod's status is that of its picture in the API; of a new picture nothing has been written yet. */
  mirrorChanged(pod: Pod): void {
    const uid = this.#parts.mirrors.of(pod)?.metadata.uid;
    if (uid !== this.#mirror) this.#shown = undefined;
    this.#mirror = uid;
  }

  set(pod: Pod, status: PodStatus, signal: AbortSignal): void {
    if (isStaticPod(pod)) {
      this.#setStatic(pod, status, signal);
      return;
    }
    const latest = this.#wanted?.status ?? this.#written ?? pod.status;
    if (jsonEqual(latest, status)) return;
    this.#parts.lifeCounts.statusChanged(latest, status);
    this.#want(pod, status);
    this.#writing ??= this.#write(signal);
  }

  #want(pod: Pod, status: PodStatus): void {
    this.#wanted = { pod, status };
    if (!isPassing(status)) this.#hurry();
  }

  #setStatic(pod: Pod, status: PodStatus, signal: AbortSignal): void {
    this.#parts.lifeCounts.statusChanged(this.#written, status);
    this.#written = status;
    const mirror = this.#parts.mirrors.of(pod);
    if (mirror === undefined || jsonEqual(this.#shown, status)) return;
    this.#shown = status;
    this.#want(mirror, status);
    this.#writing ??= this.#write(signal).finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(signal: AbortSignal): Promise<void> {
    try {
      while (this.#wanted !== undefined) {
        if (isPassing(this.#wanted.status)) await this.#letPass(signal);
        const { pod, status } = this.#wanted;
        try {
          await this.#send(pod, status, signal);
          this.#written = status;
        } catch (error) {
          if (isAbort(error, signal)) return;
          if (isNotFound(error) || isConflict(error)) {
            this.#wanted = undefined;
            return;
          }
          this.#parts.logger.warn(`status of pod ${pod.metadata.name}: ${describeError(error)}`);
          await this.#parts.clock.sleep(1000, signal).catch(() => {});
          if (signal.aborted) return;
          continue;
        }
        if (this.#wanted.status === status) this.#wanted = undefined;
      }
    } finally {
      // In the turn in which nothing more was found: what is set from now on begins anew.
      this.#writing = undefined;
    }
  }

  async #letPass(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hurry = resolve;
    using _ = this.#parts.clock.after(passingMs, resolve);
    await resolvedOrAborted(promise, signal);
  }

  /** Conditions that others own change beside ours: the server merges them by type, all else is the kubelet's. */
  async #send(pod: Pod, status: PodStatus, signal: AbortSignal): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const before = isMirrorPod(pod) ? (pod.status ?? {}) : (this.#written ?? pod.status ?? {});
    const gone = goneMembers(before, status);
    const replace = { $patch: "replace" };
    const addresses =
      status.podIPs === undefined || jsonEqual(before.podIPs, status.podIPs)
        ? {}
        : { podIPs: [...(before.podIPs === undefined ? [] : [replace]), ...status.podIPs] };
    const conditions = (status.conditions ?? []).filter(isWritten).map((one) => ({
      ...goneMembers(
        before.conditions?.find((old) => old.type === one.type),
        one,
      ),
      ...one,
    }));
    const ended = (before.conditions ?? [])
      .filter(({ type }) => ownedConditions.has(type) && !conditions.some((one) => one.type === type))
      .map(({ type }) => ({ $patch: "delete", type }));
    // The uid makes the server refuse the patch for another pod of the same name.
    const patch = {
      metadata: { uid },
      status: { ...gone, ...status, conditions: [...conditions, ...ended], ...addresses },
    };
    await this.#parts.client.patch(Pods, { name, namespace }, patch, {
      type: "strategic",
      subresource: "status",
      signal,
    });
  }
}

/** Members that a merge would keep although they are no more: each as null, which takes it away. */
function goneMembers(before: object | undefined, after: object): Record<string, null> {
  const kept = new Map<string, unknown>(Object.entries(after));
  const gone: Record<string, null> = {};
  for (const [key, value] of Object.entries(before ?? {}))
    if (value !== undefined && kept.get(key) === undefined) gone[key] = null;
  return gone;
}
