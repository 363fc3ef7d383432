import { type Container, type Pod, Pods } from "@skiff/api";
import { type Clock, describeError, durationText, isAbort, KeyedBackoff, Turns } from "@skiff/base";
import type { EventRecorder } from "@skiff/client";
import { type ImageSummary, type Runtime, rpcErrorText } from "@skiff/runtime";
import { fieldPathOf } from "../pods/pod-identity.ts";
import type { ImageAccess } from "./image-access.ts";
import { ImageFailure, pullFailure } from "./image-failure.ts";
import { type ImageName, parseImageName, referenceFault } from "./image-name.ts";
import { ImageUses } from "./image-uses.ts";
import { type PullLogin, repositoryOf } from "./keyring.ts";
import type { PodCredentials } from "./pod-credentials.ts";
import { LoginPuller } from "./pull-with-logins.ts";

interface BackedOff {
  readonly untilMs: number;
  /** What the last pull ended with, as in `ErrImagePull: …`. */
  readonly failure: string;
}

type Say = (type: "Normal" | "Warning", reason: string, message: string) => void;

interface Wanted {
  readonly pod: Pod;
  /** As the user wrote it. */
  readonly reference: string;
  readonly image: ImageName;
  readonly logins: () => Promise<readonly PullLogin[]>;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** How long `ErrImagePull` is shown before it becomes `ImagePullBackOff`. */
const showErrorMs = 3000;
const retryMs = 60_000;

/** Makes images present on the node: by policy, each pulled once at a time, with back-off after failures. */
export class ImagePuller {
  readonly access: ImageAccess;
  readonly uses = new ImageUses();
  readonly #runtime: Runtime;
  readonly #recorder: EventRecorder;
  readonly #clock: Clock;
  readonly #credentials: PodCredentials;
  readonly #backoff = new KeyedBackoff<string>({ initialMs: 10_000, maxMs: 300_000 });
  readonly #waiting = new Map<string, BackedOff>();
  readonly #puller: LoginPuller;

  constructor(options: {
    readonly runtime: Runtime;
    readonly recorder: EventRecorder;
    readonly clock: Clock;
    readonly credentials: PodCredentials;
    readonly access: ImageAccess;
    /** Pulls at one time; infinite: no limit. */
    readonly parallel: number;
  }) {
    const { runtime, recorder, clock } = options;
    this.#puller = new LoginPuller({ runtime, clock, turns: new Turns(options.parallel) });
    this.#runtime = runtime;
    this.#recorder = recorder;
    this.#clock = clock;
    this.#credentials = options.credentials;
    this.access = options.access;
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
    signal: AbortSignal,
  ): Promise<ImageSummary> {
    const reference = container.image ?? "";
    const say = this.#sayer(pod, container);
    const secrets = await this.#credentials.secrets(pod, signal);
    const image = parseImageName(reference);
    if (image === undefined) {
      const message = `Failed to apply default image tag "${reference}": couldn't parse image name "${reference}": ${referenceFault(reference)}`;
      say("Warning", "InspectFailed", message);
      throw new ImageFailure("InvalidImageName", message, retryMs);
    }
    let found: Promise<readonly PullLogin[]> | undefined;
    const logins = () => {
      found ??= this.#credentials.find(pod, { image, secrets }, signal);
      return found;
    };
    const policy = container.imagePullPolicy ?? (image.withTag.endsWith(":latest") ? "Always" : "IfNotPresent");
    const wanted: Wanted = { pod, reference, image, logins, say, signal };
    const present = policy === "Always" ? undefined : await this.#present(wanted);
    if (present !== undefined && (await this.#isAllowed(wanted, present))) {
      const more = this.access.isOn ? " and can be accessed by the pod" : "";
      say("Normal", "Pulled", `Container image "${reference}" already present on machine${more}`);
      this.uses.note(present.id, this.#clock.now());
      return present;
    }
    if (policy === "Never") {
      // The same for an image that is there but not for this pod: nobody is told what others have.
      const message = `Container image "${reference}" is not present with pull policy of Never`;
      say("Warning", "ErrImageNeverPull", message);
      throw new ImageFailure("ErrImageNeverPull", message, retryMs);
    }
    return await this.#pull(wanted);
  }

  #sayer(pod: Pod, container: Pick<Container, "name">): Say {
    const fieldPath = fieldPathOf(pod, container);
    return (type, reason, message) => this.#recorder.record(Pods, pod, { type, reason, message, fieldPath });
  }

  async #present({ reference, image, say, signal }: Wanted): Promise<ImageSummary | undefined> {
    try {
      return await this.#runtime.imageStatus(image.withTag, signal);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      const message = `Failed to inspect image "${reference}": ${rpcErrorText(error)}`;
      say("Warning", "InspectFailed", message);
      throw new ImageFailure("ImageInspectError", message, showErrorMs);
    }
  }

  #isAllowed({ image, logins }: Wanted, { id }: ImageSummary): Promise<boolean> {
    return this.access.isAllowed({ ref: id, name: image.withTag, repository: repositoryOf(image) }, logins);
  }

  async #pull(wanted: Wanted): Promise<ImageSummary> {
    const { pod, reference, image, say, signal } = wanted;
    const key = `${pod.metadata.uid} ${reference}`;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.untilMs > this.#clock.now()) {
      const message = `Back-off pulling image "${reference}"`;
      say("Normal", "BackOff", message);
      throw new ImageFailure("ImagePullBackOff", `${message}: ${waiting.failure}`, waiting.untilMs - this.#clock.now());
    }
    const logins = await wanted.logins();
    say("Normal", "Pulling", `Pulling image "${reference}"`);
    const startMs = this.#clock.monotonic();
    try {
      const pulled = await this.access.pulling({ name: image.withTag, repository: repositoryOf(image) }, () =>
        this.#puller.pull(image.withTag, logins, signal),
      );
      this.uses.note(pulled.id, this.#clock.now());
      const summary = await this.#runtime.imageStatus(pulled.id, signal);
      if (summary === undefined) throw new Error(`image ${pulled.id} vanished after it was pulled`);
      const [took, inAll] = [durationText(pulled.tookMs), durationText(this.#clock.monotonic() - startMs)];
      const size = `Image size: ${summary.sizeBytes} bytes.`;
      say(
        "Normal",
        "Pulled",
        `Successfully pulled image "${reference}" in ${took} (${inAll} including waiting). ${size}`,
      );
      this.#waiting.delete(key);
      this.#backoff.reset(key);
      return summary;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      say("Warning", "Failed", `Failed to pull image "${reference}": ${describeError(error)}`);
      const { reason, message } = pullFailure(reference, describeError(error));
      const untilMs = this.#clock.now() + this.#backoff.fail(key);
      this.#waiting.set(key, { untilMs, failure: `${reason}: ${message}` });
      throw new ImageFailure(reason, message, showErrorMs);
    }
  }
}
