import type { Rejection } from "./decision.ts";

const known = new Map<string, Rejection>();
/** Reasons with figures of their own could be many. */
const limit = 10_000;

/** One object for all that is rejected by the same plugin for the same reason: counting them is cheap. */
export function rejectionOf(
  plugin: string,
  { reason, resolvable }: { readonly reason: string; readonly resolvable: boolean },
): Rejection {
  const key = `${plugin}|${resolvable}|${reason}`;
  let rejection = known.get(key);
  if (rejection === undefined) {
    rejection = { plugin, reason, resolvable };
    if (known.size >= limit) known.clear();
    known.set(key, rejection);
  }
  return rejection;
}
