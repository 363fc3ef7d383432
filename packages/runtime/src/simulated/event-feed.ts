import { Mailbox } from "@skiff/base";
import type { RuntimeEvent } from "../runtime.ts";

const waitingLimit = 10_000;

interface Listener {
  readonly box: Mailbox<RuntimeEvent>;
  lost: boolean;
}

/** Passes events on to whoever listens. One who falls far behind loses some and is told to look at everything anew. */
export class EventFeed {
  readonly #listeners = new Set<Listener>();

  publish(event: RuntimeEvent): void {
    for (const listener of this.#listeners) if (!listener.box.offer(event)) listener.lost = true;
  }

  /** Events from the call on. */
  listen(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const listener: Listener = { box: new Mailbox(waitingLimit), lost: false };
    if (!signal.aborted) this.#listeners.add(listener);
    return this.#read(listener, signal);
  }

  async *#read(listener: Listener, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    const leave = () => this.#listeners.delete(listener);
    signal.addEventListener("abort", leave, { once: true });
    try {
      for (;;) {
        const events = await listener.box.take(signal);
        if (events === undefined) return;
        yield* events;
        if (!listener.lost) continue;
        listener.lost = false;
        yield { kind: "resync" };
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      leave();
      signal.removeEventListener("abort", leave);
    }
  }
}
