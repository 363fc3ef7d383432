import {
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalers,
  type MetricStatus,
  Pods,
  parseLabelSelector,
  type ResourceDefinition,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual, timestamp } from "@skiff/base";
import type { Scale } from "@skiff/client";
import { againIn, defineController, type Loop, type ReconcileContext } from "@skiff/control-loop";
import type { ResourceSet } from "../resource-set.ts";
import { resourceOfKind } from "../scale-target.ts";
import { emptyMemory, limitReplicas, type Memory, rememberScale } from "./limits.ts";
import type { MetricsSource } from "./metrics-source.ts";
import { MetricError, type MetricProposal, proposeFor } from "./propose.ts";

/** Metrics change by themselves: each autoscaler is looked at so often, and no more often whatever changes. */
const lookEveryMs = 15_000;

/** Scales workloads by what they use. https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/ */
export function horizontalPodAutoscalerController(resources: ResourceSet, source: MetricsSource): Loop {
  const memories = new Map<string, Memory>();
  return defineController<HorizontalPodAutoscaler>({
    name: "horizontal-pod-autoscaler",
    component: "horizontal-pod-autoscaler",
    for: HorizontalPodAutoscalers,
    reads: [Pods],
    restMs: lookEveryMs,
    async reconcile(autoscaler, context) {
      const { client, signal } = context;
      const { uid } = autoscaler.metadata;
      if (autoscaler.metadata.deletionTimestamp !== undefined) {
        memories.delete(uid);
        return againIn(lookEveryMs);
      }
      const draft = new Draft(autoscaler, context);
      const target = await findTarget(resources, draft);
      if (target !== undefined) {
        const memory = memories.get(uid) ?? begun(target.scale, context);
        memories.set(uid, await autoscale({ draft, target, source, memory }));
      }
      const status = draft.finish();
      if (!jsonEqual(status, autoscaler.status)) {
        await client.updateStatus(HorizontalPodAutoscalers, { ...autoscaler, status }, { signal });
      }
      return againIn(lookEveryMs);
    },
  });
}

/** The present size is a proposal like any other: nothing is scaled down at once after a restart. */
const begun = ({ wanted }: Scale, { clock }: ReconcileContext): Memory => ({
  ...emptyMemory,
  recommendations: [{ replicas: wanted, atMs: clock.now() }],
});

/** The status on its way, and whom to tell. */
class Draft {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly context: ReconcileContext;
  readonly #status: HorizontalPodAutoscaler["status"];
  readonly #conditions: HorizontalPodAutoscalerCondition[];

  constructor(autoscaler: HorizontalPodAutoscaler, context: ReconcileContext) {
    this.autoscaler = autoscaler;
    this.context = context;
    const { desiredReplicas = 0, currentMetrics, ...status } = autoscaler.status ?? {};
    const known = currentMetrics === undefined ? {} : { currentMetrics };
    this.#status = { ...status, ...known, desiredReplicas, observedGeneration: autoscaler.metadata.generation };
    this.#conditions = [...(status.conditions ?? [])];
  }

  condition(type: string, told: { readonly status: string; readonly reason: string; readonly message: string }): void {
    const index = this.#conditions.findIndex((one) => one.type === type);
    const before = this.#conditions[index];
    const since = before?.status === told.status ? before.lastTransitionTime : timestamp(this.context.clock.now());
    const { status, reason, message } = told;
    const made = { type, status, lastTransitionTime: since, reason, message };
    if (index < 0) this.#conditions.push(made);
    else this.#conditions[index] = made;
  }

  warn(reason: string, message: string): void {
    this.context.recorder.record(HorizontalPodAutoscalers, this.autoscaler, { type: "Warning", reason, message });
  }

  replicas(current: number, desired: number): void {
    this.#status.currentReplicas = current;
    this.#status.desiredReplicas = desired;
  }

  metrics(metrics: readonly MetricStatus[]): void {
    this.#status.currentMetrics = [...metrics];
  }

  scaled(): void {
    this.#status.lastScaleTime = timestamp(this.context.clock.now());
  }

  finish(): HorizontalPodAutoscaler["status"] {
    return { ...this.#status, ...(this.#conditions.length > 0 && { conditions: this.#conditions }) };
  }
}

interface Target {
  readonly resource: ResourceDefinition;
  readonly scale: Scale;
}

async function findTarget(resources: ResourceSet, draft: Draft): Promise<Target | undefined> {
  const { autoscaler, context } = draft;
  const { client, signal } = context;
  const { scaleTargetRef: ref } = autoscaler.spec;
  const { namespace } = autoscaler.metadata;
  try {
    const resource = resourceOfKind(resources, ref);
    if (resource === undefined) {
      const place = ref.apiVersion ?? "v1";
      throw new Error(
        `unable to determine resource for scale target reference: no matches for kind ${JSON.stringify(ref.kind)} in version ${JSON.stringify(place)}`,
      );
    }
    const scale = await client.getScale(resource, { namespace, name: ref.name }, { signal });
    const message = "the HPA controller was able to get the target's current scale";
    draft.condition("AbleToScale", { status: "True", reason: "SucceededGetScale", message });
    return { resource, scale };
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const why = describeError(error);
    draft.warn("FailedGetScale", why);
    const message = `the HPA controller was unable to get the target's current scale: ${why}`;
    draft.condition("AbleToScale", { status: "False", reason: "FailedGetScale", message });
    return undefined;
  }
}

interface Autoscaling {
  readonly draft: Draft;
  readonly target: Target;
  readonly source: MetricsSource;
  readonly memory: Memory;
}

interface Decision {
  readonly replicas: number;
  readonly why: string;
  readonly memory: Memory;
}

async function autoscale(autoscaling: Autoscaling): Promise<Memory> {
  const { draft, target, memory } = autoscaling;
  const current = target.scale.wanted;
  const decision = await decide(autoscaling);
  if (decision === undefined) {
    draft.replicas(target.scale.present, draft.autoscaler.status?.desiredReplicas ?? 0);
    return memory;
  }
  draft.replicas(target.scale.present, decision.replicas);
  if (decision.replicas === current) return decision.memory;
  return await rescale(autoscaling, decision);
}

async function decide(autoscaling: Autoscaling): Promise<Decision | undefined> {
  const { draft, target, memory } = autoscaling;
  const { minReplicas = 1, maxReplicas } = draft.autoscaler.spec;
  const current = target.scale.wanted;
  if (current === 0 && minReplicas !== 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    draft.condition("ScalingActive", { status: "False", reason: "ScalingDisabled", message });
    return { replicas: 0, why: "", memory };
  }
  if (current > maxReplicas) {
    return { replicas: maxReplicas, why: "Current number of replicas above Spec.MaxReplicas", memory };
  }
  if (current < minReplicas) {
    return { replicas: minReplicas, why: "Current number of replicas below Spec.MinReplicas", memory };
  }
  const best = await bestProposal(autoscaling);
  if (best === undefined) return undefined;
  const wanted = { autoscaler: draft.autoscaler, current, proposed: best.replicas, memory };
  const limited = limitReplicas({ ...wanted, nowMs: draft.context.clock.now() });
  draft.condition("AbleToScale", limited.ableToScale);
  draft.condition("ScalingLimited", limited.limited);
  const why = limited.replicas > current ? `${best.name} above target` : "All metrics below target";
  return { replicas: limited.replicas, why, memory: limited.memory };
}

/** The highest of what the metrics propose. Nothing where none can be had, or where some lack and the others would shrink. */
async function bestProposal({ draft, target, source }: Autoscaling): Promise<MetricProposal | undefined> {
  const { autoscaler, context } = draft;
  const { signal, clock, cached } = context;
  const { selector } = target.scale;
  if (selector === "") {
    const message = "the HPA target's scale is missing a selector";
    draft.warn("SelectorRequired", "selector is required");
    draft.condition("ScalingActive", { status: "False", reason: "InvalidSelector", message });
    return undefined;
  }
  const matcher = parseLabelSelector(selector);
  const pods = cached(Pods)
    .list(autoscaler.metadata.namespace)
    .filter(({ metadata }) => matcher.matches(metadata.labels));
  const subject = { autoscaler, currentReplicas: target.scale.wanted, selector, pods, nowMs: clock.now() };
  const proposals: MetricProposal[] = [];
  const failures: MetricError[] = [];
  const specs = autoscaler.spec.metrics ?? [];
  for (const metric of specs) {
    try {
      proposals.push(await proposeFor(metric, subject, source, signal));
    } catch (error) {
      if (!(error instanceof MetricError)) throw error;
      failures.push(error);
      draft.warn(error.reason, error.message);
    }
  }
  const statuses = proposals.map(({ status }) => status);
  if (statuses.length > 0) draft.metrics(statuses);
  const best = proposals.reduce<MetricProposal | undefined>(
    (high, one) => (high === undefined || one.replicas > high.replicas ? one : high),
    undefined,
  );
  const [failure] = failures;
  if (failure !== undefined && (best === undefined || best.replicas < target.scale.wanted)) {
    const message = `the HPA was unable to compute the replica count: ${failure.message}`;
    draft.condition("ScalingActive", { status: "False", reason: failure.reason, message });
    const told = `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: failed to get ${failure.what} metric value: ${failure.message}`;
    draft.warn("FailedComputeMetricsReplicas", told);
    return undefined;
  }
  if (best !== undefined) {
    const message = `the HPA was able to successfully calculate a replica count from ${best.name}`;
    draft.condition("ScalingActive", { status: "True", reason: "ValidMetricFound", message });
  }
  return best;
}

async function rescale({ draft, target }: Autoscaling, { replicas, why, memory }: Decision): Promise<Memory> {
  const { autoscaler, context } = draft;
  const { client, clock, recorder, signal } = context;
  const { namespace } = autoscaler.metadata;
  const ref = { namespace, name: autoscaler.spec.scaleTargetRef.name };
  try {
    await client.setScale(target.resource, ref, replicas, { signal });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const told = describeError(error);
    draft.warn("FailedRescale", `New size: ${replicas}; reason: ${why}; error: ${told}`);
    const message = `the HPA controller was unable to update the target scale: ${told}`;
    draft.condition("AbleToScale", { status: "False", reason: "FailedUpdateScale", message });
    draft.replicas(target.scale.present, target.scale.wanted);
    return memory;
  }
  const message = `the HPA controller was able to update the target scale to ${replicas}`;
  draft.condition("AbleToScale", { status: "True", reason: "SucceededRescale", message });
  const event = {
    type: "Normal",
    reason: "SuccessfulRescale",
    message: `New size: ${replicas}; reason: ${why}`,
  } as const;
  recorder.record(HorizontalPodAutoscalers, autoscaler, event);
  draft.scaled();
  return rememberScale(autoscaler, memory, { from: target.scale.wanted, to: replicas, atMs: clock.now() });
}
