import {
  asMillis,
  type HorizontalPodAutoscaler,
  type MetricIdentifier,
  type MetricSpec,
  type MetricStatus,
  type MetricTarget,
  type MetricValueStatus,
  type Pod,
  podReady,
} from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import type { MetricsSource, PodSamples } from "./metrics-source.ts";
import {
  type PodsMetric,
  type Proposal,
  replicasForAverage,
  replicasForUtilization,
  replicasForValue,
  type Tolerances,
} from "./replicas-for.ts";

const usualTolerance = 0.1;

/** What one metric says. */
export interface MetricProposal {
  readonly replicas: number;
  /** As events name it. */
  readonly name: string;
  readonly status: MetricStatus;
}

/** A metric that says nothing, and why: a reason and text for the condition. */
export class MetricError extends Error {
  readonly reason: string;
  /** As `cpu resource`. */
  readonly what: string;

  constructor(reason: string, message: string, options: { readonly what: string; readonly cause: unknown }) {
    super(message, options);
    this.reason = reason;
    this.what = options.what;
  }
}

/** What proposals are made from, beside the figures. */
export interface Target {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly currentReplicas: number;
  readonly selector: string;
  readonly pods: readonly Pod[];
  readonly nowMs: number;
}

/** Thousandths as a quantity. */
export const millisText = (millis: number): string => (millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`);

export function tolerancesOf({ spec }: HorizontalPodAutoscaler): Tolerances {
  const of = (text: string | undefined) => (text === undefined ? usualTolerance : asMillis(text) / 1000);
  return { up: of(spec.behavior?.scaleUp?.tolerance), down: of(spec.behavior?.scaleDown?.tolerance) };
}

/** How many replicas a metric asks for. Throws `MetricError`. */
export async function proposeFor(
  metric: MetricSpec,
  target: Target,
  source: MetricsSource,
  signal: AbortSignal,
): Promise<MetricProposal> {
  const { resource, containerResource, pods, object, external } = metric;
  const get = { target, source, signal };
  if (metric.type === "Resource" && resource !== undefined) {
    const of = { name: resource.name, container: undefined, wanted: resource.target };
    return await attempt("FailedGetResourceMetric", `${resource.name} resource`, signal, async () => {
      const { proposal, name } = await forResource(of, get);
      const current = currentOf(proposal);
      return {
        replicas: proposal.replicas,
        name,
        status: { type: metric.type, resource: { name: resource.name, current } },
      };
    });
  }
  if (metric.type === "ContainerResource" && containerResource !== undefined) {
    const { name, container } = containerResource;
    const of = { name, container, wanted: containerResource.target };
    return await attempt("FailedGetContainerResourceMetric", `${name} container`, signal, async () => {
      const { proposal, name: told } = await forResource(of, get);
      const current = currentOf(proposal);
      const status = { type: metric.type, containerResource: { name, container, current } };
      return { replicas: proposal.replicas, name: told, status };
    });
  }
  if (metric.type === "Pods" && pods !== undefined) {
    return await attempt("FailedGetPodsMetric", "pods", signal, async () => {
      const samples = await source.pods(pods.metric, placeOf(target), signal);
      const figures = podsMetric({ target, samples, resource: "", container: undefined });
      const proposal = replicasForAverage(figures, asMillis(pods.target.averageValue));
      const status = { type: metric.type, pods: { metric: pods.metric, current: currentOf(proposal) } };
      return { replicas: proposal.replicas, name: `pods metric ${pods.metric.name}`, status };
    });
  }
  if (metric.type === "Object" && object !== undefined) {
    return await attempt("FailedGetObjectMetric", "object", signal, async () => {
      const { describedObject } = object;
      const { namespace } = target.autoscaler.metadata;
      const usageMillis = await source.object(object.metric, { ...describedObject, namespace }, signal);
      const { replicas, current } = forValue(usageMillis, object.target, target);
      const status = { type: metric.type, object: { describedObject, metric: object.metric, current } };
      return { replicas, name: `${describedObject.kind} metric ${object.metric.name}`, status };
    });
  }
  if (metric.type === "External" && external !== undefined) {
    return await attempt("FailedGetExternalMetric", "external", signal, async () => {
      const usageMillis = await source.external(external.metric, target.autoscaler.metadata.namespace, signal);
      const { replicas, current } = forValue(usageMillis, external.target, target);
      const status = { type: metric.type, external: { metric: external.metric, current } };
      return { replicas, name: externalName(external.metric), status };
    });
  }
  const message = `unknown metric source type ${JSON.stringify(metric.type)}`;
  throw new MetricError("InvalidMetricSourceType", message, { what: metric.type, cause: undefined });
}

async function attempt(
  reason: string,
  what: string,
  signal: AbortSignal,
  work: () => Promise<MetricProposal>,
): Promise<MetricProposal> {
  try {
    return await work();
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    throw new MetricError(reason, describeError(error), { what, cause: error });
  }
}

const placeOf = ({ autoscaler, selector }: Target) => ({ namespace: autoscaler.metadata.namespace, selector });

function podsMetric(of: {
  readonly target: Target;
  readonly samples: PodSamples;
  readonly resource: string;
  readonly container: string | undefined;
}): PodsMetric {
  const { pods, currentReplicas, nowMs, autoscaler } = of.target;
  const { samples, resource, container } = of;
  return { pods, samples, resource, container, currentReplicas, nowMs, tolerances: tolerancesOf(autoscaler) };
}

interface Sought {
  readonly target: Target;
  readonly source: MetricsSource;
  readonly signal: AbortSignal;
}

async function forResource(
  of: { readonly name: string; readonly container: string | undefined; readonly wanted: MetricTarget },
  { target, source, signal }: Sought,
): Promise<{ readonly proposal: Proposal; readonly name: string }> {
  const { name, container, wanted } = of;
  const kind = container === undefined ? "resource" : "container resource";
  const average = wanted.averageValue;
  try {
    const samples = await source.resource(name, placeOf(target), signal).catch((error: unknown) => {
      if (isAbort(error, signal)) throw error;
      throw new Error(`unable to get metrics for resource ${name}: ${describeError(error)}`);
    });
    const figures = podsMetric({ target, samples, resource: name, container });
    if (average !== undefined) {
      return { proposal: replicasForAverage(figures, asMillis(average)), name: `${name} ${kind}` };
    }
    const told = `${name} ${kind} utilization (percentage of request)`;
    return { proposal: replicasForUtilization(figures, wanted.averageUtilization ?? 0), name: told };
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const figure = average === undefined ? "utilization" : "usage";
    throw new Error(`failed to get ${name} ${figure}: ${describeError(error)}`);
  }
}

const currentOf = ({ utilization, averageMillis = 0 }: Proposal): MetricValueStatus => ({
  ...(utilization !== undefined && { averageUtilization: utilization }),
  averageValue: millisText(averageMillis),
});

function forValue(usageMillis: number, wanted: MetricTarget, target: Target) {
  const { currentReplicas, pods, autoscaler } = target;
  const readyPods = pods.filter((pod) => pod.status?.phase === "Running" && podReady(pod)).length;
  const average = wanted.averageValue;
  const by = average === undefined ? { valueMillis: asMillis(wanted.value) } : { averageMillis: asMillis(average) };
  const tolerances = tolerancesOf(autoscaler);
  const replicas = replicasForValue({ usageMillis, target: by, currentReplicas, readyPods, tolerances });
  const current: MetricValueStatus =
    average === undefined
      ? { value: millisText(usageMillis) }
      : { averageValue: millisText(Math.ceil(usageMillis / Math.max(1, currentReplicas))) };
  return { replicas, current };
}

function externalName({ name, selector }: MetricIdentifier): string {
  return `external metric ${name}(${JSON.stringify(selector ?? null)})`;
}
