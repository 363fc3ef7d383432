import { asUnits } from "@skiff/api";
import type { KubeletConfiguration } from "../config/kubelet-configuration.ts";

/** How much of something is left, and how much there is. Bytes, inodes or processes. */
export interface Observation {
  readonly available: number;
  readonly capacity: number;
}

/** What is left of each signal, as in `memory.available`; signals that cannot be read are absent. */
export type Observations = ReadonlyMap<string, Observation>;

export interface Threshold {
  readonly signal: string;
  /** As it was written: `100Mi` or `5%`. */
  readonly text: string;
  readonly kind: "hard" | "soft";
  /** How long it must be met before pods are evicted. */
  readonly graceMs: number;
  /** More than the threshold that must be free before the pressure ends. */
  readonly reclaim: string;
}

/** The thresholds that a configuration has. Those of 0 are off. */
export function thresholdsOf(configuration: KubeletConfiguration): readonly Threshold[] {
  const { evictionHard, evictionSoft, evictionSoftGracePeriodMs, evictionMinimumReclaim } = configuration;
  const of = (kind: Threshold["kind"], texts: Readonly<Record<string, string>>): Threshold[] =>
    Object.entries(texts)
      .filter(([, text]) => text !== "0%" && text !== "0")
      .map(([signal, text]) => ({
        signal,
        text,
        kind,
        graceMs: kind === "soft" ? (evictionSoftGracePeriodMs[signal] ?? 0) : 0,
        reclaim: evictionMinimumReclaim[signal] ?? "0",
      }));
  return [...of("hard", evictionHard), ...of("soft", evictionSoft)];
}

/** `5%` of the capacity, or a quantity. */
export function amountOf(text: string, capacity: number): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  return percent === undefined ? asUnits(text) : (capacity * Number(percent)) / 100;
}

export type PressureType = "MemoryPressure" | "DiskPressure" | "PIDPressure";

/** The node's condition that a signal belongs to. */
export const pressureOf = (signal: string): PressureType =>
  signal.startsWith("memory") ? "MemoryPressure" : signal.startsWith("pid") ? "PIDPressure" : "DiskPressure";

/** What a signal measures, as Kubernetes calls it in messages. */
export const resourceOf = (signal: string): string =>
  signal.startsWith("memory")
    ? "memory"
    : signal.startsWith("pid")
      ? "pids"
      : signal.endsWith("inodesFree")
        ? "inodes"
        : "ephemeral-storage";
