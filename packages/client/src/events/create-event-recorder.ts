import {
  apiVersionOf,
  type Event,
  Events,
  isNotFound,
  type KubeObject,
  type New,
  type ObjectReference,
  type ResourceDefinition,
  StatusError,
} from "@skiff/api";
import {
  Background,
  type Clock,
  describeError,
  isAbort,
  type Logger,
  Mailbox,
  type Random,
  randomInt,
  timestamp,
} from "@skiff/base";
import type { Client } from "../client.ts";
import type { EventRecorder } from "../events.ts";
import { EventCorrelator, type EventKeys, type Verdict } from "./correlator.ts";

export interface EventRecorderOptions {
  readonly client: Client;
  /** Who reports, as in `deployment-controller`. */
  readonly component: string;
  /** The node that the component runs on, where that matters. */
  readonly host?: string;
  /** So long an event waits, so that what it tells of is told first. Absent: not at all. */
  readonly delayMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Events that may wait for a slow server; more are dropped. */
const queueLimit = 1000;
const retryLimit = 12;
const retryMs = 10_000;

interface Happened {
  readonly about: ObjectReference;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Monotonic milliseconds. */
  readonly recordedMs: number;
}

/** A recorder that writes in the background, in order, one at a time. Disposal drops what was not written yet. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder & AsyncDisposable {
  const background = new Background({ logger: options.logger });
  const queue = new Mailbox<Happened>(queueLimit);
  const writer = new EventWriter(options);
  const { clock, delayMs = 0 } = options;
  background.run("event recorder", async (signal) => {
    for (let batch = await queue.take(signal); batch !== undefined; batch = await queue.take(signal)) {
      for (const happened of batch) {
        const waitMs = happened.recordedMs + delayMs - clock.monotonic();
        if (waitMs > 0) await clock.sleep(waitMs, signal);
        await writer.write(happened, signal);
      }
    }
  });
  return {
    record(resource, object, { type, reason, message, fieldPath }) {
      const about = { ...referenceTo(resource, object), ...(fieldPath === undefined ? {} : { fieldPath }) };
      const [atMs, recordedMs] = [clock.now(), clock.monotonic()];
      const fits = queue.offer({ about, type, reason, message, atMs, recordedMs });
      if (!fits) options.logger.debug(`event dropped: ${reason} ${message}`);
    },
    [Symbol.asyncDispose]: () => background[Symbol.asyncDispose](),
  };
}

function referenceTo<T extends KubeObject>(resource: ResourceDefinition<T>, object: T): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind: resource.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    apiVersion: apiVersionOf(resource),
    resourceVersion,
  };
}

class EventWriter {
  readonly #options: EventRecorderOptions;
  readonly #correlator = new EventCorrelator();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  async write(happened: Happened, signal: AbortSignal): Promise<void> {
    const { clock, logger, random } = this.#options;
    const verdict = this.#correlator.judge(keysOf(happened), clock.monotonic());
    if (verdict.kind === "drop") return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#writeOnce(happened, verdict, signal);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        // A refusal stays one; a server that is away comes back.
        const away = error instanceof StatusError && error.code >= 500;
        if (!away || attempt === retryLimit) {
          logger.debug(`event not written: ${describeError(error)}`);
          return;
        }
      }
      await clock.sleep(retryMs * (attempt === 1 ? random.next() : 1), signal);
    }
  }

  async #writeOnce(
    happened: Happened,
    verdict: Extract<Verdict, { kind: "write" }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { client } = this.#options;
    const { key, message, known } = verdict;
    if (known !== undefined) {
      const count = known.count + 1;
      try {
        const patch = { message, count, lastTimestamp: timestamp(happened.atMs) };
        await client.patch(Events, known, patch, { type: "strategic", signal });
        this.#correlator.remember(key, { ...known, count });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
        // It has run out of its time to live: the count goes on in a new one.
        this.#correlator.forget(key);
      }
    }
    const count = (known?.count ?? 0) + 1;
    const firstTimestamp = known?.firstTimestamp ?? timestamp(happened.atMs);
    const event = this.#eventOf(happened, { message, count, firstTimestamp });
    const { name, namespace } = event.metadata;
    await client.create(Events, event, { signal });
    this.#correlator.remember(key, { name, namespace, firstTimestamp, count });
  }

  #eventOf(
    { about, type, reason, atMs }: Happened,
    told: { readonly message: string; readonly count: number; readonly firstTimestamp: string },
  ) {
    const { component, host, random } = this.#options;
    const nanoseconds = BigInt(atMs) * 1_000_000n + BigInt(randomInt(random, 1_000_000));
    return {
      metadata: {
        name: `${about.name}.${nanoseconds.toString(16).padStart(16, "0")}`,
        namespace: about.namespace ?? "default",
      },
      involvedObject: about,
      type,
      reason,
      ...told,
      lastTimestamp: timestamp(atMs),
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? "",
    } satisfies New<Event>;
  }
}

function keysOf({ about, type, reason, message }: Happened): EventKeys {
  const object = [about.kind, about.namespace, about.name, about.uid, about.apiVersion].join("\n");
  return { object, similar: [object, type, reason].join("\n"), fieldPath: about.fieldPath, message };
}
