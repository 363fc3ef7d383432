import type { ServedObject } from "./served-object.ts";

/** One change of one object. */
export interface CacheEvent {
  readonly key: string;
  readonly revision: number;
  /** The state before: absent for an object that was created. */
  readonly previous: ServedObject | undefined;
  /** The state after: absent for an object that was deleted. */
  readonly current: ServedObject | undefined;
}

/** The last state of what is gone (or no longer selected), as of the event's revision. */
const lastStates = new WeakMap<CacheEvent, ServedObject>();

/** `event.previous` as a DELETED event shows it: with the revision of the event. */
export function lastState(event: CacheEvent, previous: ServedObject): ServedObject {
  const known = lastStates.get(event);
  if (known !== undefined) return known;
  const made = previous.at(event.revision);
  lastStates.set(event, made);
  return made;
}
