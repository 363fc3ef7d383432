/**
 * A count that is given as a number or as a percentage of `total` (`25%`). Throws `Error` with Kubernetes' text for strings that
 * are not percentages.
 */
export function scaledValue(_value: number | string, _total: number, _round: "up" | "down"): number {
  throw new Error("not yet");
}
