import {
  Deployments,
  isNotFound,
  type KubeObject,
  labelSelectorOf,
  type Pod,
  type PodDisruptionBudget,
  PodDisruptionBudgets,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  type ResourceDefinition,
  StatefulSets,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual } from "@skiff/base";
import { againIn, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import type { ResourceSet } from "../resource-set.ts";
import { resourceOfKind, topController } from "../scale-target.ts";
import { type ExpectedScale, needsScale, planBudget } from "./plan.ts";

/** Keeps count of how many pods may be evicted. https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ */
export function disruptionController(resources: ResourceSet): Loop {
  return defineController<PodDisruptionBudget>({
    name: "disruption",
    component: "controllermanager",
    for: PodDisruptionBudgets,
    restMs: 10,
    reads: [ReplicationControllers],
    watches: [
      watching(
        Pods,
        (pod, { cached }) =>
          cached(PodDisruptionBudgets)
            .list(pod.metadata.namespace)
            .filter(({ spec }) => labelSelectorOf(spec.selector).matches(pod.metadata.labels))
            .map(({ metadata }) => metadata),
        countsDifferently,
      ),
      watchingScale(Deployments),
      watchingScale(ReplicaSets),
      watchingScale(StatefulSets),
    ],
    async reconcile(budget, context) {
      const { cached, client, clock, recorder, signal } = context;
      if (budget.metadata.deletionTimestamp !== undefined) return done;
      const selector = labelSelectorOf(budget.spec.selector);
      const pods = cached(Pods)
        .list(budget.metadata.namespace)
        .filter(({ metadata }) => selector.matches(metadata.labels));
      const tell = (type: "Normal" | "Warning", reason: string, message: string) =>
        recorder.record(PodDisruptionBudgets, budget, { type, reason, message });
      if (pods.length === 0) tell("Normal", "NoPods", "No matching pods found");
      const { scale, unmanaged } = await expectedScale(resources, budget, pods, context);
      if (unmanaged > 0) tell("Warning", "UnmanagedPods", unmanagedText(selector.text));
      if (scale.kind === "failed") {
        const message = `Failed to calculate the number of expected pods: ${scale.message}`;
        tell("Warning", "CalculateExpectedPodCountFailed", message);
      }
      const plan = planBudget({ budget, pods, scale, nowMs: clock.now() });
      for (const pod of plan.notDeleted) {
        const { name, namespace } = pod.metadata;
        const message = `Pod ${namespace}/${name} was expected by PDB ${namespace}/${budget.metadata.name} to be deleted but it wasn't`;
        recorder.record(Pods, pod, { type: "Warning", reason: "NotDeleted", message });
      }
      if (!jsonEqual(plan.status, budget.status)) {
        await client.updateStatus(PodDisruptionBudgets, { ...budget, status: plan.status }, { signal });
      }
      return plan.recheckMs === undefined ? done : againIn(plan.recheckMs);
    },
  });
}

const countsDifferently = (old: Pod, pod: Pod): boolean =>
  !jsonEqual(old.metadata.labels, pod.metadata.labels) ||
  old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
  !jsonEqual(old.status?.conditions, pod.status?.conditions);

/** Another size of a workload is another number of pods that there should be. */
function watchingScale<T extends KubeObject & { readonly spec: { replicas?: number | undefined } }>(
  resource: ResourceDefinition<T>,
) {
  return watching(
    resource,
    ({ metadata }, { cached }) =>
      cached(PodDisruptionBudgets)
        .list(metadata.namespace)
        .map((budget) => budget.metadata),
    (old, object) => old.spec.replicas !== object.spec.replicas,
  );
}

const unmanagedText = (selector: string): string =>
  `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;

/** The sum of what all controllers of the pods ask for; pods without one are counted apart. */
async function expectedScale(
  resources: ResourceSet,
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  context: ReconcileContext,
): Promise<{ readonly scale: ExpectedScale; readonly unmanaged: number }> {
  if (!needsScale(budget)) return { scale: { kind: "known", pods: pods.length }, unmanaged: 0 };
  const scales = new Map<string, number>();
  let unmanaged = 0;
  for (const pod of pods) {
    const top = topController(pod, { resource: ReplicaSets }, context);
    if (top === undefined) unmanaged++;
    else if (!scales.has(top.uid)) {
      const found = await scaleOf(resources, top, context);
      if (typeof found === "string") return { scale: { kind: "failed", message: found }, unmanaged };
      scales.set(top.uid, found);
    }
  }
  return { scale: { kind: "known", pods: [...scales.values()].reduce((sum, count) => sum + count, 0) }, unmanaged };
}

type Top = NonNullable<ReturnType<typeof topController>>;

/** How many pods a controller asks for, or why that is not known. */
async function scaleOf(resources: ResourceSet, top: Top, context: ReconcileContext): Promise<number | string> {
  const { client, signal } = context;
  const known = cachedScale(top, context);
  if (known !== undefined) return known;
  const resource = resourceOfKind(resources, top);
  const lacking = `${resource?.plural ?? top.kind}.${resource?.group ?? ""} does not implement the scale subresource`;
  if (resource === undefined || !resource.subresources.some(({ name }) => name === "scale")) return lacking;
  try {
    const scale = await client.getScale(resource, top.ref, { signal });
    return scale.uid === top.uid ? scale.wanted : 0;
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    // Its pods go with it.
    return isNotFound(error) ? 0 : describeError(error);
  }
}

function cachedScale({ ref, kind, uid }: Top, { cached }: ReconcileContext): number | undefined {
  const { name, namespace } = ref;
  const known = {
    [Deployments.kind]: () => cached(Deployments).get(name, namespace),
    [ReplicaSets.kind]: () => cached(ReplicaSets).get(name, namespace),
    [StatefulSets.kind]: () => cached(StatefulSets).get(name, namespace),
    [ReplicationControllers.kind]: () => cached(ReplicationControllers).get(name, namespace),
  };
  const found = known[kind]?.();
  return found?.metadata.uid === uid ? (found.spec.replicas ?? 1) : undefined;
}
