import type { Clock } from "@skiff/base";

const checkMs = 15_000;
/** Below this share of a core a process counts as idle. */
const idleShare = 0.03;
/** More than this takes too long to collect at once: V8 does it in its own time, piece by piece. */
const mostHeapBytes = 128 * 1024 * 1024;

/**
 * Collects garbage once a process has come to rest after work. V8 collects when it needs room; a process that does nothing
 * needs none, and would keep what a busy minute left behind (some 20 MiB here) for as long as it idles. A collection takes
 * about a tenth of a second, when nobody waits; the heap of a large cluster is left alone. Does nothing unless Node runs
 * with `--expose-gc`.
 */
export async function collectWhenIdle(clock: Clock, signal: AbortSignal): Promise<void> {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  let usedMs = cpuMs();
  let worked = true;
  for (;;) {
    await clock.sleep(checkMs, signal);
    const nowMs = cpuMs();
    const isIdle = nowMs - usedMs < checkMs * idleShare;
    const isSmall = process.memoryUsage().heapUsed <= mostHeapBytes;
    if (isIdle && worked && isSmall) collect({ type: "major", execution: "sync", flavor: "last-resort" });
    worked = !isIdle;
    usedMs = cpuMs();
  }
}

/** CPU time that this process has used so far. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
