import { type Clock, isJsonObject, type JsonObject } from "@skiff/base";
import type { AggregatedService } from "./aggregated-service.ts";
import type { Asking } from "./ask.ts";

/** Kubernetes, too, asks aggregated servers again after a minute. */
const freshMs = 60_000;
/** A server that did not answer is asked again sooner. */
const missingMs = 2_000;
/** Who asked first may go away; others wait for the answer, too. */
const never = new AbortController().signal;

interface Kept {
  readonly service: AggregatedService["service"];
  untilMs: number;
  readonly document: Promise<RemoteJson | undefined>;
}

/** A document in JSON with its media type. */
export interface RemoteJson {
  readonly contentType: string;
  readonly json: JsonObject;
}

/** Documents of aggregated servers, asked for at most once a minute, and again when their APIService changes. */
export class RemoteDocuments {
  readonly #asking: Asking;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  /** What was told last: better than nothing while a server is away. */
  readonly #last = new Map<string, RemoteJson>();

  constructor(asking: Asking, clock: Clock) {
    this.#asking = asking;
    this.#clock = clock;
  }

  /** The document, or `undefined` where the server has none. `isCurrent` is false for one that was told before it went away. */
  async get(
    service: AggregatedService,
    wanted: { readonly path: string; readonly accept: string },
  ): Promise<{ readonly isCurrent: boolean; readonly document: RemoteJson | undefined }> {
    const key = `${service.group}/${service.version} ${wanted.path}`;
    const known = this.#kept.get(key);
    const nowMs = this.#clock.monotonic();
    const document =
      known !== undefined && known.service === service.service && nowMs < known.untilMs
        ? await known.document
        : await this.#ask(key, service, wanted);
    return document === undefined ? { isCurrent: false, document: this.#last.get(key) } : { isCurrent: true, document };
  }

  #ask(
    key: string,
    service: AggregatedService,
    wanted: { readonly path: string; readonly accept: string },
  ): Promise<RemoteJson | undefined> {
    const document = this.#fetch(service, wanted).then((found) => {
      if (found === undefined) kept.untilMs = this.#clock.monotonic() + missingMs;
      else this.#last.set(key, found);
      return found;
    });
    const kept: Kept = { service: service.service, untilMs: this.#clock.monotonic() + freshMs, document };
    this.#kept.set(key, kept);
    return document;
  }

  async #fetch(
    service: AggregatedService,
    { path, accept }: { readonly path: string; readonly accept: string },
  ): Promise<RemoteJson | undefined> {
    if (!service.available) return undefined;
    try {
      const { status, contentType, body } = await this.#asking.get(service, path, {
        accept,
        trusting: false,
        signal: never,
      });
      const json: unknown = status === 200 ? JSON.parse(body) : undefined;
      return isJsonObject(json) ? { contentType, json } : undefined;
    } catch {
      // Whether the server answers is told by its APIService; discovery goes on without it.
      return undefined;
    }
  }
}
