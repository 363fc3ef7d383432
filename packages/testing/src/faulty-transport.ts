import { refusals, type Transport, type TransportRequest } from "@skiff/api";
import type { Random } from "@skiff/base";

/** How often things go wrong, from 0 to 1, per request or (watches) per event. */
export interface Faults {
  /** Updates that somebody else was faster with. */
  readonly conflicts: number;
  /** Writes that fail with 503, having been done or not: the caller cannot know. */
  readonly unavailable: number;
  /** Events after which a watch breaks off. */
  readonly droppedWatches: number;
  /** Watches that begin too late: their revision is compacted. */
  readonly expiredWatches: number;
}

/** A transport on which things go wrong by chance. `faults` is asked each time, so that a test can end the bad weather. */
export function faultyTransport(inner: Transport, random: Random, faults: () => Faults): Transport {
  const happens = (rate: number) => rate > 0 && random.next() < rate;
  return {
    async send(request, signal) {
      const { conflicts, unavailable } = faults();
      const writes = request.verb !== "get" && request.verb !== "list";
      const versioned = request.verb === "update" || request.verb === "patch";
      if (versioned && happens(conflicts)) throw refusals.stale(subjectOf(request));
      const fails = writes && happens(unavailable);
      if (fails && happens(0.5)) throw refusals.unavailable("the server was not reached");
      const answer = await inner.send(request, signal);
      if (fails) throw refusals.unavailable("the answer was lost");
      return answer;
    },
    async *watch(request, signal) {
      if (happens(faults().expiredWatches)) throw refusals.expired("too old resource version");
      for await (const event of inner.watch(request, signal)) {
        if (happens(faults().droppedWatches)) return;
        yield event;
      }
    },
  };
}

const subjectOf = ({ group, plural, name = "" }: TransportRequest) => ({ group, kind: plural, name });
