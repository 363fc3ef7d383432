import { type Pod, Pods } from "@skiff/api";
import { backoffDelayMs, describeError, isAbort, resolvedOrAborted } from "@skiff/base";
import type { SetUpResult } from "../volumes/pod-volumes.ts";
import type { NodeParts } from "./node-parts.ts";
import type { PodFailure } from "./pod-status.ts";

const retry = { initialMs: 500, maxMs: 122_000 };
/** What others are at is told by the node's object; this is for when that was missed. */
const awaitMs = 5_000;
/** A pod that has waited this long for its volumes says so, and again after as long. */
const patienceMs = 123_000;
const lookMs = 120_000;

/** What of the node keeping volumes needs. */
export type VolumeSyncParts = Pick<NodeParts, "clock" | "logger" | "recorder" | "volumes">;

/** Keeps one pod's volumes current: sets them up, again after failures, and refreshes them when what they show changed. */
export class VolumeSync {
  readonly #parts: VolumeSyncParts;
  readonly #onRefused: (failure: PodFailure) => void;
  readonly #ready = Promise.withResolvers<void>();
  #pod: Pod;
  #poked = Promise.withResolvers<void>();

  /** `onRefused` hears when the pod cannot have its volumes on this node. */
  constructor(parts: VolumeSyncParts, pod: Pod, onRefused: (failure: PodFailure) => void) {
    this.#parts = parts;
    this.#onRefused = onRefused;
    this.#pod = pod;
    if ((pod.spec.volumes ?? []).length === 0) this.#ready.resolve();
  }

  /** Resolves once all volumes have been set up. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Labels or annotations may have changed, or an object that a volume shows. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.#poked.resolve();
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    if ((this.#pod.spec.volumes ?? []).length === 0) return;
    const { clock, logger } = this.#parts;
    let lateAtMs = clock.monotonic() + patienceMs;
    let told = "";
    for (let failures = 0; !signal.aborted; ) {
      this.#poked = Promise.withResolvers<void>();
      let waitMs: number;
      try {
        const result = await this.#parts.volumes.setUp(this.#pod, signal);
        if (result.missing.length === 0) this.#ready.resolve();
        if (result.failed) {
          const late = result.missing.length > 0 && clock.monotonic() >= lateAtMs;
          const why = [...result.unresolved.values()].join("; ") || (late ? "context deadline exceeded" : "");
          if (late && result.unattached.length > 0 && (await this.#refuse(result, why, signal))) return;
          if (why !== "" && (late || why !== told)) {
            this.#tell(result, why);
            told = why;
            lateAtMs = clock.monotonic() + patienceMs;
          }
          const again = Math.min(
            backoffDelayMs(retry, ++failures),
            result.unattached.length > 0 ? awaitMs : Number.POSITIVE_INFINITY,
          );
          waitMs = Math.min(again, Math.max(1, lateAtMs - clock.monotonic()));
        } else {
          failures = 0;
          waitMs = result.refreshAtMs - clock.now();
          // What ends by the time of day is looked at now and then: the machine's clock may be set meanwhile.
          if (Number.isFinite(waitMs)) waitMs = Math.min(waitMs, lookMs);
        }
      } catch (error) {
        if (isAbort(error, signal)) return;
        logger.warn(`volumes of ${this.#pod.metadata.name}: ${describeError(error)}`);
        waitMs = backoffDelayMs(retry, ++failures);
      }
      using _ = clock.after(Math.max(0, Math.min(waitMs, 3_600_000)), () => this.#poked.resolve());
      await resolvedOrAborted(this.#poked.promise, signal);
    }
  }

  /** True where the pod has to go elsewhere. */
  async #refuse(result: SetUpResult, why: string, signal: AbortSignal): Promise<boolean> {
    const { volumes, recorder } = this.#parts;
    if (!(await volumes.isExhausted(this.#pod.metadata.uid, signal))) return false;
    const message = `Node has reached its volume attachment limit, rejecting pod. ${missingText(result)}: ${why}`;
    const reason = "VolumeAttachmentLimitExceeded";
    recorder.record(Pods, this.#pod, { type: "Warning", reason, message });
    this.#onRefused({ reason, message: `Pod was rejected: ${message}`, rejected: true });
    return true;
  }

  #tell(result: SetUpResult, why: string): void {
    const message = `Unable to attach or mount volumes: ${missingText(result)}: ${why}`;
    this.#parts.recorder.record(Pods, this.#pod, { type: "Warning", reason: "FailedMount", message });
  }
}

function missingText({ missing, unattached, unresolved }: SetUpResult): string {
  const list = (names: Iterable<string>) => `[${[...names].sort().join(" ")}]`;
  return `unmounted volumes=${list(missing)}, unattached volumes=${list(unattached)}, failed to process volumes=${list(unresolved.keys())}`;
}
