import {
  ControllerRevisions,
  controllerOf,
  isAlreadyExists,
  labelSelectorOf,
  type New,
  namespaceTerminates,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  type Pod,
  Pods,
  type PodTemplateSpec,
  type StatefulSet,
  StatefulSets,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual } from "@skiff/base";
import { againIn, defineController, done, type ReconcileContext, watching } from "@skiff/control-loop";
import { claim } from "../claim/claim.ts";
import { type History, keepHistory, truncateHistory } from "../history/keep-history.ts";
import { templateOf } from "../history/plan.ts";
import { revisionLabel } from "../history/revision-label.ts";
import { deletePod } from "../pod-disruption.ts";
import { belongsToFormerPod, claimsOf, ownersToSet } from "./claims.ts";
import { type Observed, type PodAction, planPods, planStatus } from "./plan.ts";
import { ordinalOf, podIndexLabel, podName, podNameLabel, podOf } from "./pod.ts";

/** Pods with names, hosts and volumes of their own. https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ */
export const statefulSetController = defineController<StatefulSet>({
  name: "stateful-set",
  component: "statefulset-controller",
  for: StatefulSets,
  restMs: 10,
  owns: [Pods, ControllerRevisions],
  reads: [PersistentVolumeClaims],
  watches: [
    watching(Pods, (pod, { cached }) =>
      controllerOf(pod) !== undefined || pod.metadata.labels === undefined
        ? []
        : cached(StatefulSets)
            .list(pod.metadata.namespace)
            .filter((set) => labelSelectorOf(set.spec.selector).matches(pod.metadata.labels))
            .map(({ metadata }) => metadata),
    ),
  ],
  async reconcile(set, context) {
    const { client, clock, signal } = context;
    const history = await keepHistory(StatefulSets, set, { hashLabel: "controller.kubernetes.io/hash" }, context);
    const selector = labelSelectorOf(set.spec.selector);
    const mayBeOurs = (pod: Pod) => ordinalOf(set, pod) !== undefined;
    const pods = await claim(
      { owner: set, ownerResource: StatefulSets, resource: Pods, selector, eligible: mayBeOurs },
      context,
    );
    const revisions = revisionsOf(set, history);
    const observed: Observed = {
      set,
      pods,
      currentRevision: revisions.current.name,
      updateRevision: revisions.update.name,
      nowMs: clock.now(),
    };
    const results = await Promise.allSettled(
      planPods(observed).map((action) => act(set, action, { revisions, context })),
    );
    await keepClaimOwners(set, pods, context);
    const { status, recheckMs } = planStatus(observed, history.collisionCount);
    if (!jsonEqual(status, set.status)) {
      await client.updateStatus(StatefulSets, { ...set, status }, { signal });
    }
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    const live = new Set([status.currentRevision, status.updateRevision, ...pods.map(revisionNameOf)]);
    await truncateHistory(set, history, ({ metadata }) => live.has(metadata.name), context);
    return recheckMs === undefined ? done : againIn(recheckMs);
  },
});

const revisionNameOf = ({ metadata }: Pod): string | undefined => metadata.labels?.[revisionLabel];

interface NamedTemplate {
  readonly name: string;
  readonly template: PodTemplateSpec;
}

interface Revisions {
  readonly current: NamedTemplate;
  readonly update: NamedTemplate;
}

/** The revision that was rolled out last, where it still exists, and the one of the present template. */
function revisionsOf({ spec, status }: StatefulSet, history: History): Revisions {
  const update = { name: history.current.metadata.name, template: spec.template };
  const known = history.revisions.find(({ metadata }) => metadata.name === status?.currentRevision);
  const template = known === undefined ? undefined : templateOf(known);
  if (known === undefined || template === undefined) return { current: update, update };
  return { current: { name: known.metadata.name, template }, update };
}

async function act(
  set: StatefulSet,
  action: PodAction,
  { revisions, context }: { readonly revisions: Revisions; readonly context: ReconcileContext },
): Promise<void> {
  const { client, recorder, signal } = context;
  const tell = (type: "Normal" | "Warning", reason: string, message: string) =>
    recorder.record(StatefulSets, set, { type, reason, message });
  switch (action.kind) {
    case "create":
      return await create(set, podOf(set, action.ordinal, revisions[action.revision]), action.ordinal, context);
    case "relabel": {
      const { pod, ordinal } = action;
      const labels = { [podNameLabel]: podName(set, ordinal), [podIndexLabel]: String(ordinal) };
      await client.patch(Pods, pod.metadata, { metadata: { labels } }, { type: "merge", signal });
      return;
    }
    case "delete": {
      const { pod, why } = action;
      const { name, namespace } = pod.metadata;
      if (why === "ended") {
        const verb = pod.status?.phase === "Failed" ? "failed" : "terminated";
        const message = `StatefulSet ${namespace}/${set.metadata.name} is recreating ${verb} Pod ${name}`;
        tell("Warning", verb === "failed" ? "RecreatingFailedPod" : "RecreatingTerminatedPod", message);
      }
      if (why === "surplus") await setClaimOwners(set, pod, context);
      try {
        await deletePod(pod, {}, context);
        tell("Normal", "SuccessfulDelete", `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        const message = `delete Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${describeError(error)}`;
        tell("Warning", "FailedDelete", message);
        throw error;
      }
    }
  }
}

async function create(set: StatefulSet, pod: New<Pod>, ordinal: number, context: ReconcileContext): Promise<void> {
  const { client, recorder, signal } = context;
  const where = `StatefulSet ${set.metadata.name}`;
  for (const claim of claimsOf(set, ordinal)) await createClaim(set, claim, pod, context);
  try {
    await client.create(Pods, pod, { signal });
    const message = `create Pod ${pod.metadata.name} in ${where} successful`;
    recorder.record(StatefulSets, set, { type: "Normal", reason: "SuccessfulCreate", message });
  } catch (error) {
    if (isAbort(error, signal) || isAlreadyExists(error)) throw error;
    if (namespaceTerminates(error)) return;
    const message = `create Pod ${pod.metadata.name} in ${where} failed error: ${describeError(error)}`;
    recorder.record(StatefulSets, set, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

/** Makes a claim that is missing. One that is going, or soon will, has to be gone first: its pod would lose its volume. */
async function createClaim(
  set: StatefulSet,
  claim: New<PersistentVolumeClaim>,
  pod: New<Pod>,
  { cached, client, recorder, signal }: ReconcileContext,
): Promise<void> {
  const { name = "" } = claim.metadata;
  const present = cached(PersistentVolumeClaims).get(name, set.metadata.namespace);
  if (present !== undefined) {
    const isGoing =
      present.metadata.deletionTimestamp !== undefined || belongsToFormerPod(set, present, pod.metadata.name ?? "");
    if (isGoing) throw new Error(`pvc ${name} is being deleted`);
    return;
  }
  const what = `create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  try {
    await client.create(PersistentVolumeClaims, claim, { signal });
    recorder.record(StatefulSets, set, { type: "Normal", reason: "SuccessfulCreate", message: `${what} success` });
  } catch (error) {
    if (isAlreadyExists(error)) return;
    if (isAbort(error, signal)) throw error;
    const message = `${what} failed error: ${describeError(error)}`;
    recorder.record(StatefulSets, set, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

/** Lets the claims of all pods go with whom the retention policy says. */
async function keepClaimOwners(set: StatefulSet, pods: readonly Pod[], context: ReconcileContext): Promise<void> {
  if ((set.spec.volumeClaimTemplates ?? []).length === 0 || set.metadata.deletionTimestamp !== undefined) return;
  for (const pod of pods) await setClaimOwners(set, pod, context);
}

async function setClaimOwners(set: StatefulSet, pod: Pod, context: ReconcileContext): Promise<void> {
  const { cached, client, recorder, signal } = context;
  const ordinal = ordinalOf(set, pod);
  if (ordinal === undefined) return;
  for (const { metadata } of claimsOf(set, ordinal)) {
    const claim = cached(PersistentVolumeClaims).get(metadata.name ?? "", set.metadata.namespace);
    if (claim === undefined) continue;
    const wanted = ownersToSet(set, claim, { ordinal, pod });
    if (wanted.kind === "keep") continue;
    if (wanted.conflict) {
      // The spelling is Kubernetes' own.
      const message = `PersistentVolumeClaim ${metadata.name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`;
      recorder.record(StatefulSets, set, { type: "Warning", reason: "ConflictingController", message });
    }
    const changed = { ...claim, metadata: { ...claim.metadata, ownerReferences: [...wanted.owners] } };
    await client.update(PersistentVolumeClaims, changed, { signal });
  }
}
