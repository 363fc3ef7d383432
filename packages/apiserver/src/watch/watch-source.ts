import { refusals, StatusError } from "@skiff/api";
import { CompactedError } from "@skiff/store";
import { type CacheEvent, lastState } from "../cache/cache-event.ts";
import type { ServedObject } from "../cache/served-object.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { type ListOptions, tooLargeRevision } from "../verbs/list-options.ts";
import type { ObjectSelection } from "../verbs/selection.ts";
import { readHistory } from "./history.ts";

/** What happened to an object, as one watch sees it. */
export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** Where a watch's events go. Called in order; must not throw. */
export interface WatchSink {
  event(type: ChangeType, served: ServedObject): void;
  /** All up to `revision` was told. `initial`: these were the objects that were there at the start. */
  bookmark(revision: number, options: { readonly initial: boolean }): void;
  /** The watch cannot go on; nothing follows. */
  fail(error: StatusError): void;
  /** What is watched is no longer served in this form; nothing follows. */
  end(): void;
}

/** What is watched, and from where. */
export interface WatchRequest {
  readonly storage: ObjectStorage;
  readonly selection: ObjectSelection;
  readonly options: ListOptions;
}

/**
 * A watch: what is there (where it is asked for), what happened since a revision, what happens from now on, without gap or
 * repetition. Runs from `start` until it is disposed of.
 */
export class WatchSource implements Disposable {
  readonly #request: WatchRequest;
  readonly #sink: WatchSink;
  #listening: Disposable | undefined;
  readonly #ending: Disposable;
  /** Resolves when all that waits for a webhook was told; `undefined` while nothing waits. */
  #turn: Promise<void> | undefined;
  /** While history is read, live events wait here. */
  #waiting: CacheEvent[] | undefined;
  /** Events up to this one were asked not to be told. */
  #after = 0;
  #ended = false;

  constructor(request: WatchRequest, sink: WatchSink) {
    this.#request = request;
    this.#sink = sink;
    this.#ending = request.storage.onEnd(() => {
      this[Symbol.dispose]();
      sink.end();
    });
  }

  /** True when the watch has told all that had happened when it began. */
  get isLive(): boolean {
    return this.#waiting === undefined && this.#listening !== undefined;
  }

  /** Begins. Whatever can be told at once is told before this returns. */
  start(): void {
    const { storage, options } = this.#request;
    const { revision = 0, sendInitialEvents } = options;
    const { cache } = storage.environment;
    const now = cache.revision;
    if (sendInitialEvents ?? revision === 0) {
      if (revision > now) {
        this.#fail(tooLargeRevision(revision, now));
        return;
      }
      this.#listen(now);
      this.#tellPresent();
      if (sendInitialEvents && options.bookmarks) this.#inTurn([], () => this.#sink.bookmark(now, { initial: true }));
    } else if (revision === 0) this.#listen(now);
    else if (revision >= storage.cache.ring.floor) {
      for (const event of storage.cache.ring.since(revision)) this.#tell(event);
      this.#listen(revision);
    } else this.#catchUp(revision, now);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#ending[Symbol.dispose]();
    this.#listening?.[Symbol.dispose]();
    this.#listening = undefined;
  }

  #listen(after: number): void {
    this.#after = after;
    this.#listening = this.#request.storage.cache.listen((event) => {
      if (this.#waiting === undefined) this.#tell(event);
      else this.#waiting.push(event);
    });
  }

  #tellPresent(): void {
    const { storage, selection } = this.#request;
    const { prefix, only, matches } = selection;
    const present: ServedObject[] = [];
    for (const { served: stored } of storage.cache.from(prefix, only ?? prefix)) {
      if (only !== undefined && stored !== storage.cache.get(only)) break;
      present.push(stored);
    }
    this.#inTurn(present, () => {
      for (const stored of present) {
        const served = storage.show(stored);
        if (matches === undefined || matches(served)) this.#sink.event("ADDED", served);
      }
    });
  }

  /** Tells now, or, where a webhook must convert the states first, after it has and all before was told. */
  #inTurn(states: readonly (ServedObject | undefined)[], tell: () => void): void {
    const preparing = this.#request.storage.prepare(states);
    if (preparing === undefined && this.#turn === undefined) {
      tell();
      return;
    }
    const before = this.#turn ?? Promise.resolve();
    // The webhook is asked at once; a failure is told when its turn has come.
    const asked = Promise.allSettled([preparing]);
    const turn = before.then(async () => {
      const [outcome] = await asked;
      if (this.#turn === turn) this.#turn = undefined;
      if (this.#ended) return;
      if (outcome.status === "fulfilled") tell();
      else
        this.#fail(outcome.reason instanceof StatusError ? outcome.reason : refusals.internal(String(outcome.reason)));
    });
    this.#turn = turn;
  }

  /** The cache does not reach back so far: the store does, unless it was compacted. */
  #catchUp(revision: number, now: number): void {
    const { storage } = this.#request;
    this.#waiting = [];
    this.#listen(now);
    const end = (error: unknown) => {
      if (this.#ended) return;
      if (error instanceof CompactedError) {
        const oldest = error.compactedRevision;
        this.#fail(refusals.expired(`too old resource version: ${revision} (${oldest})`));
      } else this.#fail(refusals.internal(error instanceof Error ? error.message : String(error)));
    };
    readHistory(storage, {
      after: revision,
      upTo: now,
      isOver: () => this.#ended,
      tell: (event) => this.#tell(event, 0),
    })
      .then(() => {
        const waiting = this.#waiting ?? [];
        this.#waiting = undefined;
        for (const event of waiting) this.#tell(event);
      })
      .catch(end);
  }

  #tell(event: CacheEvent, after = this.#after): void {
    if (this.#ended || event.revision <= after) return;
    const { storage, selection } = this.#request;
    const { prefix, only, matches } = selection;
    if (only === undefined ? !event.key.startsWith(prefix) : event.key !== only) return;
    this.#inTurn(statesOf(storage, event), () => this.#tellChange(event, matches));
  }

  #tellChange(event: CacheEvent, matches: ObjectSelection["matches"]): void {
    const { storage } = this.#request;
    const previous = event.previous === undefined ? undefined : storage.show(event.previous);
    const current = event.current === undefined ? undefined : storage.show(event.current);
    const was = previous !== undefined && (matches === undefined || matches(previous));
    const is = current !== undefined && (matches === undefined || matches(current));
    if (is) this.#sink.event(was ? "MODIFIED" : "ADDED", current);
    else if (was) {
      // An object that is no longer selected is gone for this watch, as it was when it was selected last.
      this.#sink.event("DELETED", storage.show(lastState(event, event.previous ?? previous)));
    }
  }

  #fail(error: StatusError): void {
    this[Symbol.dispose]();
    this.#sink.fail(error);
  }
}

/** What must be converted before an event can be told; nothing where no webhook is asked. */
function statesOf({ resource }: ObjectStorage, event: CacheEvent): readonly (ServedObject | undefined)[] {
  if (resource.storedAs?.remote === undefined) return [];
  const { previous, current } = event;
  return [previous, current, previous === undefined ? undefined : lastState(event, previous)];
}
