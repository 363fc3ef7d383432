import {
  controllerOf,
  type Deployment,
  Deployments,
  isAlreadyExists,
  isNotFound,
  isPodTerminal,
  labelSelectorOf,
  type New,
  Pods,
  type ReplicaSet,
  ReplicaSets,
  StatusError,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual } from "@skiff/base";
import { againIn, defineController, done, type Outcome, type ReconcileContext, watching } from "@skiff/control-loop";
import { claim } from "../claim/claim.ts";
import { revisionAnnotation } from "./annotations.ts";
import { hasDeadline, withFinding } from "./conditions.ts";
import { type DeploymentPlan, planDeployment, type SetChange } from "./plan.ts";
import { sameTemplate } from "./revision.ts";
import { planRollback } from "./rollback.ts";

/** Moves each Deployment's pods from one template to the next. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ */
export const deploymentController = defineController<Deployment>({
  name: "deployment",
  component: "deployment-controller",
  for: Deployments,
  restMs: 10,
  owns: [ReplicaSets],
  watches: [
    // `Recreate` goes on when the last old pod has ended.
    watching(Pods, (pod, { cached }) => {
      const owner = controllerOf(pod);
      if (owner?.kind !== "ReplicaSet") return [];
      const set = cached(ReplicaSets).get(owner.name, pod.metadata.namespace);
      const deployment = set === undefined ? undefined : controllerOf(set);
      if (deployment?.kind !== "Deployment") return [];
      const found = cached(Deployments).get(deployment.name, pod.metadata.namespace);
      return found?.spec.strategy?.type === "Recreate" ? [found.metadata] : [];
    }),
  ],
  async reconcile(deployment, context) {
    const { client, recorder, clock, owned, signal } = context;
    const selector = labelSelectorOf(deployment.spec.selector);
    if (selector.requirements.length === 0) {
      const message = "This deployment is selecting all pods. A non-empty selector is required.";
      recorder.record(Deployments, deployment, { type: "Warning", reason: "SelectingAll", message });
      return done;
    }
    const sets = await claim(
      { owner: deployment, ownerResource: Deployments, resource: ReplicaSets, selector },
      context,
    );
    const { deletionTimestamp } = deployment.metadata;
    const rollback =
      deletionTimestamp === undefined && deployment.spec.paused !== true ? planRollback(deployment, sets) : undefined;
    if (rollback !== undefined) {
      await client.update(Deployments, rollback.deployment, { signal });
      recorder.record(Deployments, deployment, rollback.event);
      return done;
    }
    const hasRunningPods = (name: string) => {
      const set = sets.find(({ metadata }) => metadata.name === name);
      return set !== undefined && owned(Pods, set).some((pod) => !isPodTerminal(pod));
    };
    const plan = planDeployment({ deployment, sets, hasRunningPods, nowMs: clock.now() });
    return perform(deployment, plan, context);
  },
});

async function perform(deployment: Deployment, plan: DeploymentPlan, context: ReconcileContext): Promise<Outcome> {
  const { client, signal } = context;
  if (plan.create !== undefined) {
    const created = await createSet(deployment, plan.create, context);
    // Its name was taken: the next attempt has another one.
    if (!created) return againIn(0);
  }
  for (const change of plan.change) await changeSet(deployment, change, context);
  for (const { metadata } of plan.remove) {
    const { uid, resourceVersion } = metadata;
    await client
      .delete(ReplicaSets, metadata, { preconditions: { uid, resourceVersion }, signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }
  await writeStatus(deployment, plan, context);
  return plan.recheckMs === undefined ? done : againIn(plan.recheckMs);
}

async function writeStatus(
  deployment: Deployment,
  { status, revision }: Pick<DeploymentPlan, "status" | "revision">,
  { client, signal }: ReconcileContext,
): Promise<void> {
  if (revision === undefined && jsonEqual(status, deployment.status)) return;
  const { metadata } = deployment;
  const annotations = revision === undefined ? {} : { [revisionAnnotation]: revision };
  await client.updateStatus(
    Deployments,
    { ...deployment, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } }, status },
    { signal },
  );
}

function scaled(
  deployment: Deployment,
  { recorder }: ReconcileContext,
  { name, from, to }: { readonly name: string; readonly from: number; readonly to: number },
): void {
  if (from === to) return;
  const message = `Scaled ${to > from ? "up" : "down"} replica set ${name} from ${from} to ${to}`;
  recorder.record(Deployments, deployment, { type: "Normal", reason: "ScalingReplicaSet", message });
}

async function changeSet(deployment: Deployment, change: SetChange, context: ReconcileContext): Promise<void> {
  const { set, from, to, annotations, minReadySeconds } = change;
  const { client, signal } = context;
  const spec = { ...set.spec, replicas: to, minReadySeconds: minReadySeconds === 0 ? undefined : minReadySeconds };
  const metadata = { ...set.metadata, annotations: { ...annotations } };
  await client.update(ReplicaSets, { ...set, metadata, spec }, { signal });
  scaled(deployment, context, { name: set.metadata.name, from, to });
}

/** False when another object has the name: then the collision is counted, and the next name is a different one. */
async function createSet(deployment: Deployment, set: New<ReplicaSet>, context: ReconcileContext): Promise<boolean> {
  const { client, signal } = context;
  try {
    const { metadata, spec } = await client.create(ReplicaSets, set, { signal });
    scaled(deployment, context, { name: metadata.name, from: 0, to: spec.replicas ?? 0 });
    return true;
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    if (isAlreadyExists(error)) return resolveCollision(deployment, set, context);
    await noteFailure(deployment, set, error, context);
    throw error;
  }
}

async function resolveCollision(
  deployment: Deployment,
  set: New<ReplicaSet>,
  { client, signal }: ReconcileContext,
): Promise<boolean> {
  const { namespace } = deployment.metadata;
  const existing = await client.get(ReplicaSets, { namespace, name: set.metadata.name ?? "" }, { signal });
  const ours = controllerOf(existing)?.uid === deployment.metadata.uid;
  if (ours && sameTemplate(existing.spec.template, deployment.spec.template)) return true;
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
  await client.updateStatus(
    Deployments,
    { ...deployment, status: { ...deployment.status, collisionCount } },
    { signal },
  );
  return false;
}

async function noteFailure(
  deployment: Deployment,
  set: New<ReplicaSet>,
  error: unknown,
  context: ReconcileContext,
): Promise<void> {
  const causes = error instanceof StatusError ? (error.status.details?.causes ?? []) : [];
  if (causes.some(({ reason }) => reason === "NamespaceTerminating")) return;
  const reason = "ReplicaSetCreateError";
  const message = `Failed to create new replica set ${JSON.stringify(set.metadata.name)}: ${describeError(error)}`;
  context.recorder.record(Deployments, deployment, { type: "Warning", reason, message });
  if (!hasDeadline(deployment)) return;
  const finding = { type: "Progressing", status: "False", reason, message } as const;
  const conditions = withFinding(deployment.status?.conditions ?? [], finding, context.clock.now());
  await writeStatus(deployment, { status: { ...deployment.status, conditions }, revision: undefined }, context);
}
