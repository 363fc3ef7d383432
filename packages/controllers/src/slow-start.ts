/**
 * Does something `count` times, in batches of 1, 2, 4, …, and stops after the first batch with a failure: what fails for
 * one (a quota, a webhook) fails for all, and a thousand futile requests help nobody. Gives how often it succeeded and the first error.
 */
export async function slowStart(
  count: number,
  act: () => Promise<void>,
): Promise<{ readonly succeeded: number; readonly error: unknown }> {
  let succeeded = 0;
  for (let batch = 1; succeeded < count; batch *= 2) {
    const size = Math.min(batch, count - succeeded);
    const results = await Promise.allSettled(Array.from({ length: size }, act));
    const failures = results.filter((result) => result.status === "rejected");
    succeeded += size - failures.length;
    if (failures.length > 0) return { succeeded, error: failures[0]?.reason };
  }
  return { succeeded, error: undefined };
}
