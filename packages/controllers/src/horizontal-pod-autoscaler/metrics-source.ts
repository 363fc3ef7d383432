import type { CrossVersionObjectReference, MetricIdentifier, ObjectRef } from "@skiff/api";

/** What one pod was measured to use. */
export interface PodSample {
  /** Thousandths of the metric's unit, by container; under the empty name where the pod is measured as a whole. */
  readonly millisByContainer: ReadonlyMap<string, number>;
  /** When the measurement ended, and how long it took. */
  readonly atMs: number;
  readonly windowMs: number;
}

/** By the pod's name. */
export type PodSamples = ReadonlyMap<string, PodSample>;

/** Where the autoscaler's figures come from: the metrics APIs. Each rejects with a text that a person can act on. */
export interface MetricsSource {
  /** `cpu` or `memory` of a namespace's pods that a selector's text selects. */
  resource(
    name: string,
    of: { readonly namespace: string; readonly selector: string },
    signal: AbortSignal,
  ): Promise<PodSamples>;
  /** A metric that each of the pods has. */
  pods(
    metric: MetricIdentifier,
    of: { readonly namespace: string; readonly selector: string },
    signal: AbortSignal,
  ): Promise<PodSamples>;
  /** A metric of some other object, in thousandths. */
  object(metric: MetricIdentifier, of: CrossVersionObjectReference & ObjectRef, signal: AbortSignal): Promise<number>;
  /** A metric from outside the cluster: the sum over what its selector selects, in thousandths. */
  external(metric: MetricIdentifier, namespace: string, signal: AbortSignal): Promise<number>;
}
