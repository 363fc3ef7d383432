import { setImmediate } from "node:timers/promises";
import { type KeyValue, prefixRange, type StoreEvent } from "@skiff/store";
import type { CacheEvent } from "../cache/cache-event.ts";
import { ServedObject } from "../cache/served-object.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";

/** Which part of a resource's history is wanted. */
export interface HistoryRequest {
  /** Only events after this revision, up to and including that one. */
  readonly after: number;
  readonly upTo: number;
  /** True when nobody wants it any more. */
  isOver(): boolean;
  tell(event: CacheEvent): void;
}

/** Reads past events of a resource from the store, in order. Throws `CompactedError` when they are no longer there. */
export async function readHistory(storage: ObjectStorage, request: HistoryRequest): Promise<void> {
  const { after, upTo } = request;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  let failed = false;
  using watch = storage.environment.store.watch({
    range: prefixRange(storage.prefix),
    fromRevision: after + 1,
    onBatch: ({ revision, events }) => {
      if (revision <= upTo) for (const event of events) request.tell(cacheEvent(event));
    },
    onEnd: (error) => {
      failed = true;
      failure.reject(error);
    },
  });
  const { store } = storage.environment;
  if (store.isShared) await Promise.race([store.sync(), failure.promise]);
  // Past batches arrive over the next turns of the event loop; there is no call-back for "that was all".
  while (!failed && !request.isOver() && watch.deliveredRevision < upTo) await setImmediate();
  if (failed) await failure.promise;
}

const stateOf = ({ value, modRevision }: KeyValue): ServedObject => ServedObject.fromStored(value, modRevision);

function cacheEvent(event: StoreEvent): CacheEvent {
  const previous = event.previous === undefined ? undefined : stateOf(event.previous);
  if (event.kind === "delete") {
    return { key: event.key, revision: event.modRevision, previous, current: undefined };
  }
  const { current } = event;
  return { key: current.key, revision: current.modRevision, previous, current: stateOf(current) };
}
