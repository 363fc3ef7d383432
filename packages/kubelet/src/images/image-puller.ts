import { type Container, type Pod, Pods, type Secret } from "@skiff/api";
import { type Clock, describeError, durationText, isAbort, KeyedBackoff, Turns } from "@skiff/base";
import type { EventRecorder } from "@skiff/client";
import type { ImageSummary, RegistryAuth, Runtime } from "@skiff/runtime";
import { fieldPathOf } from "../pods/pod-identity.ts";
import { parseImageName } from "./image-name.ts";
import { registryLogins } from "./pull-secrets.ts";

export type ImageFailureReason =
  | "ErrImagePull"
  | "ImagePullBackOff"
  | "ErrImageNeverPull"
  | "InvalidImageName"
  | "ImageInspectError";

/** A container's image cannot be had. `retryMs`: how long until it is worth asking again. */
export class ImageFailure extends Error {
  override name = "ImageFailure";
  readonly reason: ImageFailureReason;
  readonly retryMs: number;
  constructor(reason: ImageFailureReason, message: string, retryMs: number) {
    super(message);
    this.reason = reason;
    this.retryMs = retryMs;
  }
}

interface BackedOff {
  readonly untilMs: number;
  readonly message: string;
}

/** How long `ErrImagePull` is shown before it becomes `ImagePullBackOff`. */
const showErrorMs = 3000;

/** Makes images present on the node: by policy, each pulled once at a time, with back-off after failures. */
export class ImagePuller {
  readonly #runtime: Runtime;
  readonly #recorder: EventRecorder;
  readonly #clock: Clock;
  readonly #backoff = new KeyedBackoff<string>({ initialMs: 10_000, maxMs: 300_000 });
  readonly #waiting = new Map<string, BackedOff>();
  readonly #pulls = new Map<string, Promise<string>>();
  readonly #turns: Turns;

  constructor(options: {
    readonly runtime: Runtime;
    readonly recorder: EventRecorder;
    readonly clock: Clock;
    /** Pulls at one time; infinite: no limit. */
    readonly parallel: number;
  }) {
    this.#turns = new Turns(options.parallel);
    this.#runtime = options.runtime;
    this.#recorder = options.recorder;
    this.#clock = options.clock;
  }

  /** Forgets the back-off of a pod that is gone. */
  forget(uid: string): void {
    for (const key of this.#waiting.keys()) {
      if (!key.startsWith(`${uid} `)) continue;
      this.#waiting.delete(key);
      this.#backoff.reset(key);
    }
  }

  /** The image of a container, pulled where its policy asks for it. Throws `ImageFailure`. */
  async ensure(
    pod: Pod,
    container: Pick<Container, "name" | "image" | "imagePullPolicy">,
    options: { readonly secrets: () => Promise<readonly Secret[]>; readonly signal: AbortSignal },
  ): Promise<ImageSummary> {
    const reference = container.image ?? "";
    const say = this.#sayer(pod, container);
    const parsed = parseImageName(reference);
    if (parsed === undefined) {
      const message = `Failed to apply default image tag "${reference}": couldn't parse image name "${reference}": invalid reference format`;
      say("Warning", "InspectFailed", message);
      throw new ImageFailure("InvalidImageName", message, 60_000);
    }
    const policy = container.imagePullPolicy ?? (parsed.withTag.endsWith(":latest") ? "Always" : "IfNotPresent");
    const present = policy === "Always" ? undefined : await this.#runtime.imageStatus(parsed.withTag, options.signal);
    if (present !== undefined) {
      say(
        "Normal",
        "Pulled",
        `Container image "${reference}" already present on machine and can be accessed by the pod`,
      );
      return present;
    }
    if (policy === "Never") {
      const message = `Container image "${reference}" is not present with pull policy of Never`;
      say("Warning", "ErrImageNeverPull", message);
      throw new ImageFailure("ErrImageNeverPull", message, 60_000);
    }
    return this.#pull(pod, { reference, withTag: parsed.withTag, say, ...options });
  }

  #sayer(pod: Pod, container: Pick<Container, "name">) {
    const fieldPath = fieldPathOf(pod, container);
    return (type: "Normal" | "Warning", reason: string, message: string) =>
      this.#recorder.record(Pods, pod, { type, reason, message, fieldPath });
  }

  async #pull(
    pod: Pod,
    options: {
      readonly reference: string;
      readonly withTag: string;
      readonly secrets: () => Promise<readonly Secret[]>;
      readonly say: (type: "Normal" | "Warning", reason: string, message: string) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<ImageSummary> {
    const { reference, withTag, say, signal } = options;
    const key = `${pod.metadata.uid} ${reference}`;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.untilMs > this.#clock.now()) {
      say("Normal", "BackOff", `Back-off pulling image "${reference}"`);
      say("Warning", "Failed", "Error: ImagePullBackOff");
      const message = `Back-off pulling image "${reference}": ErrImagePull: ${waiting.message}`;
      throw new ImageFailure("ImagePullBackOff", message, waiting.untilMs - this.#clock.now());
    }
    say("Normal", "Pulling", `Pulling image "${reference}"`);
    const startMs = this.#clock.monotonic();
    try {
      const id = await this.#pullOnce(withTag, await options.secrets(), signal);
      const image = await this.#runtime.imageStatus(id, signal);
      if (image === undefined) throw new Error(`image ${id} vanished after it was pulled`);
      const took = durationText(this.#clock.monotonic() - startMs);
      say(
        "Normal",
        "Pulled",
        `Successfully pulled image "${reference}" in ${took} (${took} including waiting). Image size: ${image.sizeBytes} bytes.`,
      );
      this.#waiting.delete(key);
      this.#backoff.reset(key);
      return image;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      const message = describeError(error);
      this.#waiting.set(key, { untilMs: this.#clock.now() + this.#backoff.fail(key), message });
      say("Warning", "Failed", `Failed to pull image "${reference}": ${message}`);
      say("Warning", "Failed", "Error: ErrImagePull");
      throw new ImageFailure("ErrImagePull", message, showErrorMs);
    }
  }

  /** Two pulls of one image at one time are one pull, unless they log in differently. */
  async #pullOnce(reference: string, secrets: readonly Secret[], signal: AbortSignal): Promise<string> {
    const logins = registryLogins(reference, secrets);
    const key = `${reference} ${JSON.stringify(logins)}`;
    const running = this.#pulls.get(key);
    if (running !== undefined) return running;
    const pull = this.#turns
      .take(() => this.#tryLogins(reference, logins, signal), signal)
      .finally(() => this.#pulls.delete(key));
    this.#pulls.set(key, pull);
    return pull;
  }

  async #tryLogins(reference: string, logins: readonly RegistryAuth[], signal: AbortSignal): Promise<string> {
    let failure: unknown;
    for (const login of logins.length === 0 ? [undefined] : logins) {
      try {
        return await this.#runtime.pullImage(reference, login, signal);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        failure = error;
      }
    }
    throw failure;
  }
}
