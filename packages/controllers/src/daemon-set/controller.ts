import {
  ControllerRevisions,
  controllerOf,
  type DaemonSet,
  DaemonSets,
  labelSelectorOf,
  type Node,
  Nodes,
  namespaceTerminates,
  type ObjectRef,
  type Pod,
  Pods,
} from "@skiff/api";
import { describeError, isAbort, jsonEqual } from "@skiff/base";
import { againIn, type Caches, defineController, done, type ReconcileContext, watching } from "@skiff/control-loop";
import { claim } from "../claim/claim.ts";
import { keepHistory, truncateHistory } from "../history/keep-history.ts";
import { revisionLabel } from "../history/revision-label.ts";
import { deletePod } from "../pod-disruption.ts";
import { slowStart } from "../slow-start.ts";
import { type DaemonPlan, planDaemons, planStatus } from "./plan.ts";
import { podOf } from "./pod.ts";

/** A set's pods that have ended are made anew, but not in a rush: a second at first, a quarter of an hour in the end. */
const restartDelay = { firstMs: 1_000, mostMs: 15 * 60_000 };

/** One pod on each node. https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ */
export function daemonSetController() {
  const restarts = new Restarts();
  return defineController<DaemonSet>({
    name: "daemon-set",
    component: "daemonset-controller",
    for: DaemonSets,
    restMs: 10,
    owns: [Pods, ControllerRevisions],
    watches: [
      watching(Pods, (pod, { cached }) =>
        controllerOf(pod) !== undefined || pod.metadata.labels === undefined
          ? []
          : cached(DaemonSets)
              .list(pod.metadata.namespace)
              .filter((set) => labelSelectorOf(set.spec.selector).matches(pod.metadata.labels))
              .map(({ metadata }) => metadata),
      ),
      watching(Nodes, everySet, changesPlacement),
    ],
    async reconcile(set, context) {
      const { client, cached, clock, signal } = context;
      const history = await keepHistory(DaemonSets, set, { hashLabel: revisionLabel }, context);
      const hash = history.current.metadata.labels?.[revisionLabel] ?? "";
      const selector = labelSelectorOf(set.spec.selector);
      const pods = await claim({ owner: set, ownerResource: DaemonSets, resource: Pods, selector }, context);
      const observed = { set, nodes: cached(Nodes).list(), pods, hash, nowMs: clock.now() };
      const plan = planDaemons(observed);
      const { due, waitMs } = restarts.due(set, plan, observed.nowMs);
      const remove = plan.remove.filter((pod) => !plan.ended.includes(pod) || due.includes(pod));
      const error = await perform(set, { create: plan.create, remove, ended: due }, { hash, context });
      const { status, recheckMs } = planStatus(observed, history.collisionCount);
      if (!jsonEqual(status, set.status)) await client.updateStatus(DaemonSets, { ...set, status }, { signal });
      if (error !== undefined) throw error;
      const live = new Set([hash, ...pods.map(({ metadata }) => metadata.labels?.[revisionLabel])]);
      await truncateHistory(set, history, ({ metadata }) => live.has(metadata.labels?.[revisionLabel]), context);
      const againMs = [recheckMs, waitMs].filter((wait) => wait !== undefined);
      return againMs.length === 0 ? done : againIn(Math.min(...againMs));
    },
    async gone(ref) {
      restarts.forget(ref);
      return done;
    },
  });
}

const everySet = (_node: Node, { cached }: Caches): readonly ObjectRef[] =>
  cached(DaemonSets)
    .list()
    .map(({ metadata }) => metadata);

/** Heartbeats change nothing for sets: labels and taints do. */
const changesPlacement = (old: Node, node: Node): boolean =>
  !jsonEqual(old.metadata.labels, node.metadata.labels) || !jsonEqual(old.spec.taints, node.spec.taints);

/** Remembers how often pods ended on a node, so that what fails at once is not made anew at once for ever. */
class Restarts {
  readonly #byPlace = new Map<string, { count: number; notBeforeMs: number }>();

  due({ metadata }: DaemonSet, { ended }: DaemonPlan, nowMs: number) {
    const due: Pod[] = [];
    let waitMs: number | undefined;
    for (const pod of ended) {
      const key = `${metadata.namespace}/${metadata.name}/${pod.spec.nodeName}`;
      const place = this.#byPlace.get(key) ?? { count: 0, notBeforeMs: 0 };
      const quietMs = nowMs - place.notBeforeMs;
      if (quietMs < 0) {
        waitMs = Math.min(waitMs ?? Number.POSITIVE_INFINITY, -quietMs);
        continue;
      }
      const count = quietMs > 2 * restartDelay.mostMs ? 1 : place.count + 1;
      const delayMs = Math.min(restartDelay.firstMs * 2 ** (count - 1), restartDelay.mostMs);
      this.#byPlace.set(key, { count, notBeforeMs: nowMs + delayMs });
      due.push(pod);
    }
    return { due, waitMs };
  }

  forget({ namespace, name }: ObjectRef): void {
    for (const key of this.#byPlace.keys()) {
      if (key.startsWith(`${namespace}/${name}/`)) this.#byPlace.delete(key);
    }
  }
}

/** Gives the first error. */
async function perform(
  set: DaemonSet,
  { create, remove, ended }: DaemonPlan,
  { hash, context }: { readonly hash: string; readonly context: ReconcileContext },
): Promise<unknown> {
  const waiting = [...create];
  const made = await slowStart(create.length, () => createPod(set, { node: waiting.shift() ?? "", hash }, context));
  for (const pod of ended) tellEnded(set, pod, context);
  const removed = await Promise.allSettled(remove.map((pod) => removePod(set, pod, context)));
  return made.error ?? removed.find((result) => result.status === "rejected")?.reason;
}

function tellEnded(set: DaemonSet, { metadata, spec, status }: Pod, { recorder }: ReconcileContext): void {
  const failed = status?.phase === "Failed";
  const message = `Found ${failed ? "failed" : "succeeded"} daemon pod ${metadata.namespace}/${metadata.name} on node ${spec.nodeName}, will try to ${failed ? "kill" : "delete"} it`;
  const reason = failed ? "FailedDaemonPod" : "SucceededDaemonPod";
  recorder.record(DaemonSets, set, { type: failed ? "Warning" : "Normal", reason, message });
}

async function createPod(
  set: DaemonSet,
  { node, hash }: { readonly node: string; readonly hash: string },
  { client, recorder, signal }: ReconcileContext,
): Promise<void> {
  try {
    const { metadata } = await client.create(Pods, podOf(set, node, hash), { signal });
    const message = `Created pod: ${metadata.name}`;
    recorder.record(DaemonSets, set, { type: "Normal", reason: "SuccessfulCreate", message });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    if (namespaceTerminates(error)) return;
    const message = `Error creating: ${describeError(error)}`;
    recorder.record(DaemonSets, set, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}

async function removePod(set: DaemonSet, pod: Pod, context: ReconcileContext): Promise<void> {
  const { recorder, signal } = context;
  try {
    await deletePod(pod, {}, context);
    const message = `Deleted pod: ${pod.metadata.name}`;
    recorder.record(DaemonSets, set, { type: "Normal", reason: "SuccessfulDelete", message });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const message = `Error deleting: ${describeError(error)}`;
    recorder.record(DaemonSets, set, { type: "Warning", reason: "FailedDelete", message });
    throw error;
  }
}
