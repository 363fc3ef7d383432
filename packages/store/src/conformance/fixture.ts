import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type Clock, VirtualClock } from "@skiff/base";
import type {
  CommitResult,
  KeyValue,
  LeaseId,
  Operation,
  Range,
  Store,
  StoreError,
  StoreEventBatch,
  StoreWatch,
} from "../store.ts";

/** Opens an empty store; `folder` is an empty folder that is removed after the test. */
export type OpenStore<S extends Store = Store> = (options: {
  readonly clock: Clock;
  readonly folder: string;
}) => Promise<S>;

/** What differs in what engines promise. */
export interface ConformanceOptions {
  /** The engine is another process: leases run in real time, and calls made at once are decided in any order. */
  readonly remote: boolean;
}

/** What a case gets to work with. */
export interface Fixture<S extends Store = Store> {
  readonly store: S;
  readonly clock: VirtualClock;
  /** An empty folder for the case's own use. */
  readonly folder: string;
  /** Lets the engine's time pass. */
  readonly pass: (ms: number) => Promise<void>;
  readonly remote: boolean;
}

/** Declares a test with a store of its own. */
export type DeclareCase<S extends Store = Store> = (name: string, run: (fixture: Fixture<S>) => Promise<void>) => void;

export const declareCase =
  <S extends Store>(open: OpenStore<S>, { remote }: ConformanceOptions): DeclareCase<S> =>
  (name, run) => {
    it(name, async () => {
      const base = await mkdtemp(join(tmpdir(), "skiff-store-"));
      try {
        const clock = new VirtualClock();
        const pass = async (ms: number) => (remote ? await setTimeout(ms) : await clock.advance(ms));
        await using store = await open({ clock, folder: join(base, "store") });
        await run({ store, clock, folder: join(base, "own"), pass, remote });
      } finally {
        await rm(base, { recursive: true, force: true });
      }
    });
  };

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const text = (value: Uint8Array): string => Buffer.from(value).toString();

export const put = (key: string, value: string, lease?: LeaseId): Operation =>
  lease === undefined ? { kind: "put", key, value: bytes(value) } : { kind: "put", key, value: bytes(value), lease };

export const remove = (key: string): Operation => ({ kind: "delete", key });

/** Commits without comparing and gives the revision. */
export async function write(store: Store, ...operations: Operation[]): Promise<number> {
  const result: CommitResult = await store.commit({ compare: [], operations });
  return result.revision;
}

export const everything: Range = { start: "", end: "\u{10FFFF}" };

/** `key=value@modRevision`, so that states compare as text. */
export const show = (entry: KeyValue): string => `${entry.key}=${text(entry.value)}@${entry.modRevision}`;

/** `4: +a=1@4 -b (was b=2@3)`. */
export function showBatch(batch: StoreEventBatch): string {
  const events = batch.events.map((event) => {
    if (event.kind === "delete") return `-${event.key}@${event.modRevision} (was ${show(event.previous)})`;
    const was = event.previous === undefined ? "" : ` (was ${show(event.previous)})`;
    return `+${show(event.current)}${was}`;
  });
  return `${batch.revision}: ${events.join(" ")}`;
}

/** A watch that writes down what it gets. */
export interface Recorder {
  readonly watch: StoreWatch;
  readonly batches: StoreEventBatch[];
  readonly errors: StoreError[];
  lines(): string[];
}

export function record(store: Store, fromRevision: number, range: Range = everything): Recorder {
  const batches: StoreEventBatch[] = [];
  const errors: StoreError[] = [];
  const watch = store.watch({
    range,
    fromRevision,
    onBatch: (batch) => {
      keepPrevious(batch);
      batches.push(batch);
    },
    onEnd: (error) => errors.push(error),
  });
  return { watch, batches, errors, lines: () => batches.map(showBatch) };
}

/** Reads what may be read only now. */
export function keepPrevious({ events }: StoreEventBatch): void {
  for (const { previous } of events) void previous?.value;
}

/** Lets the event loop turn until `condition` holds; fails after a minute. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
