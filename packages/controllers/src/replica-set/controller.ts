import {
  controllerOf,
  isNotFound,
  type LabelMatcher,
  labelSelectorOf,
  labelsSelector,
  namespaceTerminates,
  type Pod,
  Pods,
  type ReplicaSet,
  type ReplicaSetStatus,
  ReplicaSets,
  type ReplicationController,
  ReplicationControllers,
  type ResourceDefinition,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual } from "@skiff/base";
import { againIn, defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { claim } from "../claim/claim.ts";
import { isPodActive } from "../pods.ts";
import { slowStart } from "../slow-start.ts";
import { planReplicas, planStatus, type ReplicaFailure } from "./plan.ts";
import { podFromTemplate } from "./pod-from-template.ts";

/** A kind that says how many pods of one template there shall be. */
interface ReplicaKind<T extends ReplicaSet | ReplicationController> {
  readonly name: string;
  readonly component: string;
  readonly resource: ResourceDefinition<T>;
  selectorOf(set: T): LabelMatcher;
  withStatus(set: T, status: ReplicaSetStatus): T;
}

/** Keeps as many pods as each ReplicaSet asks for. https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ */
export const replicaSetController = replicaController<ReplicaSet>({
  name: "replica-set",
  component: "replicaset-controller",
  resource: ReplicaSets,
  selectorOf: ({ spec }) => labelSelectorOf(spec.selector),
  withStatus: (set, status) => ({ ...set, status }),
});

/** The same for the older kind. https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/ */
export const replicationController = replicaController<ReplicationController>({
  name: "replication-controller",
  component: "replication-controller",
  resource: ReplicationControllers,
  selectorOf: ({ spec }) => labelsSelector(spec.selector),
  withStatus: (controller, { terminatingReplicas: _unknownHere, ...status }) => ({ ...controller, status }),
});

function replicaController<T extends ReplicaSet | ReplicationController>(kind: ReplicaKind<T>): Loop {
  const { resource, name, component } = kind;
  return defineController<T>({
    name,
    component,
    for: resource,
    restMs: 10,
    owns: [Pods],
    watches: [
      // A pod that nobody controls may be somebody's to adopt.
      watching(Pods, (pod, { cached }) =>
        controllerOf(pod) !== undefined || pod.metadata.labels === undefined
          ? []
          : cached(resource)
              .list(pod.metadata.namespace)
              .filter((set) => kind.selectorOf(set).matches(pod.metadata.labels))
              .map(({ metadata }) => metadata),
      ),
    ],
    async reconcile(set, context) {
      const { client, clock, signal, owned } = context;
      const selector = kind.selectorOf(set);
      const active = await claim(
        { owner: set, ownerResource: resource, resource: Pods, selector, eligible: isPodActive },
        context,
      );
      const outcome = await balance(resource, set, active, context);
      const ending = owned(Pods, set).filter((pod) => !isPodActive(pod) && selector.matches(pod.metadata.labels));
      const pods = [...active, ...ending];
      const plan = planStatus({ set, pods, failure: outcome.failure, nowMs: clock.now() });
      const changed = kind.withStatus(set, plan.status);
      if (!jsonEqual(changed.status, set.status)) await client.updateStatus(resource, changed, { signal });
      if (outcome.error !== undefined) throw outcome.error;
      return plan.recheckMs === undefined ? done : againIn(plan.recheckMs);
    },
  });
}

interface BalanceOutcome {
  readonly failure: ReplicaFailure | undefined;
  readonly error: unknown;
}

/** Makes and deletes pods. A failure is for the status first, and for another attempt afterwards. */
async function balance<T extends ReplicaSet | ReplicationController>(
  resource: ResourceDefinition<T>,
  set: T,
  active: readonly Pod[],
  context: ReconcileContext,
): Promise<BalanceOutcome> {
  const { cached, clock, signal } = context;
  const nowMs = clock.now();
  const surplus = active.length > (set.spec.replicas ?? 1);
  const crowding = surplus ? crowdingOf(resource, set, context) : new Map<string, number>();
  const plan = planReplicas(set, active, { crowding, nowMs });
  const tried =
    plan.create > 0
      ? await slowStart(plan.create, () => createPod(resource, set, context))
      : await settleAll(plan.remove.map((pod) => deletePod(resource, set, pod, context)));
  const { error } = tried;
  if (error === undefined) return { failure: undefined, error };
  if (isAbort(error, signal)) throw error;
  const reason = plan.create > 0 ? "FailedCreate" : "FailedDelete";
  const gone = cached(resource).get(set.metadata.name, set.metadata.namespace) === undefined;
  return gone ? { failure: undefined, error } : { failure: { reason, message: describeError(error) }, error };
}

async function settleAll(work: readonly Promise<void>[]): Promise<{ readonly error: unknown }> {
  const results = await Promise.allSettled(work);
  return { error: results.find((result) => result.status === "rejected")?.reason };
}

async function createPod<T extends ReplicaSet | ReplicationController>(
  resource: ResourceDefinition<T>,
  set: T,
  { client, recorder, signal }: ReconcileContext,
): Promise<void> {
  try {
    const pod = await client.create(Pods, podFromTemplate(set.spec.template ?? {}, resource, set), { signal });
    const message = `Created pod: ${pod.metadata.name}`;
    recorder.record(resource, set, { type: "Normal", reason: "SuccessfulCreate", message });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    // Nothing can be made in a namespace that goes: the set goes as well.
    if (namespaceTerminates(error)) return;
    const message = `Error creating: ${describeError(error)}`;
    recorder.record(resource, set, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

async function deletePod<T extends ReplicaSet | ReplicationController>(
  resource: ResourceDefinition<T>,
  set: T,
  pod: Pod,
  { client, recorder, signal }: ReconcileContext,
): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  try {
    await client.delete(Pods, { name, namespace }, { preconditions: { uid }, signal });
    const message = `Deleted pod: ${name}`;
    recorder.record(resource, set, { type: "Normal", reason: "SuccessfulDelete", message });
  } catch (error) {
    if (isNotFound(error)) return;
    if (isAbort(error, signal)) throw error;
    const message = `Error deleting: ${describeError(error)}`;
    recorder.record(resource, set, { type: "Warning", reason: "FailedDelete", message });
    throw error;
  }
}

/** Pods by node, counted over all sets with the same owner (the revisions of a Deployment). */
function crowdingOf<T extends ReplicaSet | ReplicationController>(
  resource: ResourceDefinition<T>,
  set: T,
  { cached, owned }: ReconcileContext,
): ReadonlyMap<string, number> {
  const owner = controllerOf(set);
  const fellows =
    owner === undefined
      ? [set]
      : cached(resource)
          .list(set.metadata.namespace)
          .filter((other) => controllerOf(other)?.uid === owner.uid);
  const crowding = new Map<string, number>();
  for (const { spec } of fellows.flatMap((fellow) => owned(Pods, fellow)).filter(isPodActive)) {
    if (spec.nodeName) crowding.set(spec.nodeName, (crowding.get(spec.nodeName) ?? 0) + 1);
  }
  return crowding;
}
