import { type Clock, describeError, type Logger } from "@skiff/base";
import { isNotFound, isPassing } from "./grpc-error.ts";

/** Time for the first attempt of a stop beyond the container's own grace (twice as long each time), and how often it is tried. */
export const stopMs = 30_000;
const stopAttempts = 4;

/** Asks containerd once, within so many milliseconds. */
export type StopAttempt = (deadlineMs: number) => Promise<unknown>;

/**
 * Repeats what may hang or find containerd down; what is gone already is fine. A machine that is busy with much else is
 * given ever more time: an attempt that is cut short has to be begun anew.
 */
export async function stopping(
  stop: { readonly deadlineMs: number; readonly attempt: StopAttempt; readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { deadlineMs, attempt, clock, logger } = stop;
  for (let tried = 1; ; tried++) {
    try {
      await attempt(deadlineMs + stopMs * (2 ** (tried - 1) - 1));
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isPassing(error) || tried === stopAttempts) throw error;
      logger.warn(`stopping is tried again: ${describeError(error)}`);
      await clock.sleep(250 * tried, signal);
    }
  }
}
