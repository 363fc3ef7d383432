import { asMillis, type Pod } from "@skiff/api";
import type { PodSamples } from "./metrics-source.ts";
import { groupPods } from "./pod-groups.ts";

/** How far from its target a metric may be without anything being scaled. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export const isWithin = ({ up, down }: Tolerances, ratio: number): boolean => 1 - down <= ratio && ratio <= 1 + up;

/** Ratios come from divisions: a hair above a whole number is that number. */
export const roundUp = (value: number): number => Math.ceil(Number(value.toFixed(9)));

export interface Proposal {
  readonly replicas: number;
  /** Share of what was asked for, in per cent; for targets that are shares. */
  readonly utilization?: number;
  /** Average a pod, in thousandths. */
  readonly averageMillis?: number;
}

export interface PodsMetric {
  readonly pods: readonly Pod[];
  readonly samples: PodSamples;
  /** `cpu`, `memory`; anything else for metrics that are no resources. */
  readonly resource: string;
  /** Only this container's figures. */
  readonly container?: string | undefined;
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

/** Replicas that bring the share of what pods request to `target` per cent. Throws where a pod requests nothing. */
export function replicasForUtilization(metric: PodsMetric, target: number): Proposal {
  const requests = requestsOf(metric);
  const figure = (usage: ReadonlyMap<string, number>): Figure => {
    let used = 0;
    let requested = 0;
    for (const [name, millis] of usage) {
      const request = requests.get(name);
      if (request === undefined) continue;
      used += millis;
      requested += request;
    }
    if (requested === 0) throw new Error("no metrics returned matched known pods");
    const utilization = Math.trunc((used * 100) / requested);
    return { ratio: utilization / target, utilization, averageMillis: Math.trunc(used / usage.size) };
  };
  const fallback = (name: string) => ((requests.get(name) ?? 0) * Math.max(100, target)) / 100;
  return replicasFor(metric, { figure, fallback });
}

/** Replicas that bring the average a pod to `targetMillis`. */
export function replicasForAverage(metric: PodsMetric, targetMillis: number): Proposal {
  const figure = (usage: ReadonlyMap<string, number>): Figure => {
    const sum = [...usage.values()].reduce((total, millis) => total + millis, 0);
    const averageMillis = Math.trunc(sum / usage.size);
    return { ratio: averageMillis / targetMillis, averageMillis };
  };
  return replicasFor(metric, { figure, fallback: () => targetMillis });
}

interface Figure {
  /** Of usage to target. */
  readonly ratio: number;
  readonly utilization?: number;
  readonly averageMillis: number;
}

interface Target {
  figure(usage: ReadonlyMap<string, number>): Figure;
  /** What a pod without figures counts as when fewer replicas are on the table. */
  fallback(pod: string): number;
}

function replicasFor(metric: PodsMetric, target: Target): Proposal {
  const { pods, samples, currentReplicas, tolerances } = metric;
  if (pods.length === 0) throw new Error("no pods returned by selector while calculating replica count");
  const groups = groupPods(pods, samples, metric);
  const usage = usageOf(metric);
  for (const name of [...groups.ignored, ...groups.unready]) usage.delete(name);
  if (usage.size === 0) throw new Error("did not receive metrics for targeted pods (pods might be unready)");
  const { ratio, ...told } = target.figure(usage);
  const counted = groups.unready.size > 0 && ratio > 1;
  if (!counted && groups.missing.size === 0) {
    return { ...told, replicas: isWithin(tolerances, ratio) ? currentReplicas : roundUp(ratio * groups.ready) };
  }
  // What is not known counts against the change: as fully used when it would shrink, as idle when it would grow.
  for (const name of groups.missing) {
    if (ratio < 1) usage.set(name, target.fallback(name));
    else if (ratio > 1) usage.set(name, 0);
  }
  if (counted) for (const name of groups.unready) usage.set(name, 0);
  const { ratio: cautious } = target.figure(usage);
  const turned = (ratio < 1 && cautious > 1) || (ratio > 1 && cautious < 1);
  if (isWithin(tolerances, cautious) || turned) return { ...told, replicas: currentReplicas };
  const replicas = roundUp(cautious * usage.size);
  const backwards = (cautious < 1 && replicas > currentReplicas) || (cautious > 1 && replicas < currentReplicas);
  return { ...told, replicas: backwards ? currentReplicas : replicas };
}

function usageOf({ pods, samples, container }: PodsMetric): Map<string, number> {
  const usage = new Map<string, number>();
  for (const { metadata } of pods) {
    const sample = samples.get(metadata.name);
    if (sample === undefined) continue;
    const parts = [...sample.millisByContainer].filter(([name]) => container === undefined || name === container);
    if (container !== undefined && parts.length === 0) {
      throw new Error(`container ${container} not present in metrics for pod ${metadata.namespace}/${metadata.name}`);
    }
    usage.set(
      metadata.name,
      parts.reduce((sum, [, millis]) => sum + millis, 0),
    );
  }
  return usage;
}

function requestsOf({ pods, resource, container }: PodsMetric): ReadonlyMap<string, number> {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const whole = container === undefined ? spec.resources?.requests?.[resource] : undefined;
    if (whole !== undefined) {
      requests.set(metadata.name, asMillis(whole));
      continue;
    }
    const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
    let sum = 0;
    for (const { name, resources } of [...spec.containers, ...sidecars]) {
      if (container !== undefined && name !== container) continue;
      const request = resources?.requests?.[resource];
      if (request === undefined) {
        throw new Error(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`);
      }
      sum += asMillis(request);
    }
    requests.set(metadata.name, sum);
  }
  return requests;
}

/** Replicas for a figure of something that is not the pods': all of it, or so much for each replica. */
export function replicasForValue(of: {
  readonly usageMillis: number;
  readonly target: { readonly valueMillis: number } | { readonly averageMillis: number };
  readonly currentReplicas: number;
  readonly readyPods: number;
  readonly tolerances: Tolerances;
}): number {
  const { usageMillis, target, currentReplicas, readyPods, tolerances } = of;
  if ("valueMillis" in target) {
    const ratio = usageMillis / target.valueMillis;
    if (currentReplicas === 0) return roundUp(ratio);
    return isWithin(tolerances, ratio) ? currentReplicas : roundUp(ratio * readyPods);
  }
  const ratio = usageMillis / (target.averageMillis * Math.max(1, currentReplicas));
  if (currentReplicas > 0 && isWithin(tolerances, ratio)) return currentReplicas;
  return roundUp(usageMillis / target.averageMillis);
}
