import type { KubeletConfiguration } from "../config/kubelet-configuration.ts";
import { machineSignals } from "./machine-signals.ts";
import { amountOf, pressureOf, thresholdsOf } from "./thresholds.ts";

/** Less is left on a disk than the node keeps free. */
export interface DiskShortage {
  /** As in `imagefs.available`. */
  readonly signal: string;
  /** As it is configured: `15%`. */
  readonly threshold: string;
  /** What is left, of all there is. */
  readonly leftPercent: number;
}

/** The hard thresholds of disks below which a node would be if it ran now: with `DiskPressure`, taking no pods. */
export async function diskShortages(
  configuration: KubeletConfiguration,
  folders: { readonly node: string; readonly images: string },
): Promise<readonly DiskShortage[]> {
  const observed = await machineSignals(folders);
  return thresholdsOf(configuration).flatMap(({ signal, text, kind }) => {
    const seen = observed.get(signal);
    if (kind !== "hard" || seen === undefined || pressureOf(signal) !== "DiskPressure") return [];
    if (seen.available >= amountOf(text, seen.capacity)) return [];
    return [{ signal, threshold: text, leftPercent: Math.floor((100 * seen.available) / seen.capacity) }];
  });
}
