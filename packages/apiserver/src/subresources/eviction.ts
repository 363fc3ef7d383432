import {
  labelSelectorOf,
  type Pod,
  type PodDisruptionBudget,
  PodDisruptionBudgets,
  Pods,
  refusals,
  StatusError,
} from "@skiff/api";
import { type Clock, isJsonObject, type JsonObject, timestamp } from "@skiff/base";
import type { DeleteRequest, ResourceTable, SubresourceHandler, WriteContext } from "../contracts.ts";
import { success } from "./binding.ts";
import { created } from "./created.ts";
import { objectHandler } from "./object-handler.ts";

/** Budgets that remember more pods than this do so because nobody reads them any more. */
const disruptedPodsLimit = 2000;

/** True for pods whose eviction disturbs nobody: they have finished, are leaving, or never ran. */
const isFree = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined ||
  status?.phase === "Succeeded" ||
  status?.phase === "Failed" ||
  status?.phase === "Pending";

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;

function tooMany(message: string, cause: string, retryAfterSeconds: number): StatusError {
  const { status } = refusals.tooManyRequests(message, retryAfterSeconds);
  return new StatusError({
    ...status,
    details: {
      ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
      causes: [{ reason: "DisruptionBudget", message: cause }],
    },
  });
}

/** The budget after one more disruption. Throws 429 where it allows none. */
export function spentBudget(budget: PodDisruptionBudget, pod: Pod, nowMs: number): PodDisruptionBudget {
  const { name, generation = 0 } = budget.metadata;
  const {
    observedGeneration = 0,
    disruptionsAllowed = 0,
    currentHealthy = 0,
    desiredHealthy = 0,
    disruptedPods,
  } = budget.status;
  const refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
  if (observedGeneration < generation) {
    throw tooMany(refusal, `The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if (disruptionsAllowed < 0)
    throw refusals.forbidden(
      { group: "policy", kind: "poddisruptionbudget", name },
      "pdb disruptions allowed is negative",
    );
  if (Object.keys(disruptedPods ?? {}).length > disruptedPodsLimit) {
    throw refusals.forbidden(
      { group: "policy", kind: "poddisruptionbudget", name },
      "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
    );
  }
  if (disruptionsAllowed === 0) {
    throw tooMany(
      refusal,
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
      0,
    );
  }
  return {
    ...budget,
    status: {
      ...budget.status,
      disruptionsAllowed: disruptionsAllowed - 1,
      disruptedPods: { ...disruptedPods, [pod.metadata.name]: timestamp(nowMs) },
    },
  };
}

function deleteRequestIn(body: JsonObject): DeleteRequest & { readonly dryRun: boolean } {
  const options = isJsonObject(body.deleteOptions) ? body.deleteOptions : {};
  const { gracePeriodSeconds, propagationPolicy: policy, preconditions } = options;
  const given = isJsonObject(preconditions) ? preconditions : {};
  const dryRun = Array.isArray(options.dryRun) && options.dryRun.includes("All");
  const text = (value: unknown, field: string) => (typeof value === "string" ? { [field]: value } : {});
  return {
    dryRun,
    ...(typeof gracePeriodSeconds === "number" ? { gracePeriodSeconds } : {}),
    ...(policy === "Foreground" || policy === "Background" || policy === "Orphan" ? { propagationPolicy: policy } : {}),
    preconditions: { ...text(given.uid, "uid"), ...text(given.resourceVersion, "resourceVersion") },
  };
}

/** `pods/eviction`: a deletion that asks the pod's disruption budget first. */
export function podEviction(table: ResourceTable, clock: Clock): SubresourceHandler {
  const budgetsOf = ({ metadata }: Pod): PodDisruptionBudget[] =>
    table
      .of(PodDisruptionBudgets)
      .peekAll(metadata.namespace)
      .filter(({ spec }) => labelSelectorOf(spec.selector).matches(metadata.labels));
  const spend = async (pod: Pod, context: WriteContext): Promise<void> => {
    const [budget, ...others] = budgetsOf(pod);
    if (budget === undefined || isFree(pod)) return;
    if (others.length > 0) {
      throw refusals.internal(
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
      );
    }
    const { currentHealthy = 0, desiredHealthy = 0 } = budget.status;
    const always = budget.spec.unhealthyPodEvictionPolicy === "AlwaysAllow";
    // An unready pod is not among those that the budget counts on.
    if (!isReady(pod) && (always || (desiredHealthy > 0 && currentHealthy >= desiredHealthy))) return;
    const { namespace, name } = budget.metadata;
    await table
      .of(PodDisruptionBudgets)
      .modify({ namespace, name }, (current) => spentBudget(current, pod, clock.now()), {
        ...context,
        subresource: "status",
        admitted: true,
      });
  };
  const disrupt = (pod: Pod): Pod => {
    const kept = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
      lastTransitionTime: timestamp(clock.now()),
    };
    return { ...pod, status: { ...pod.status, conditions: [...kept, condition] } };
  };
  return objectHandler(async ({ ref, body = {}, context }) => {
    const { dryRun, ...request } = deleteRequestIn(body);
    const own = dryRun ? { ...context, dryRun } : context;
    const wanted =
      isJsonObject(body.metadata) && typeof body.metadata.name === "string" ? body.metadata.name : ref.name;
    if (wanted !== "" && wanted !== ref.name) {
      throw refusals.badRequest(
        `name in URL does not match name in Eviction object: "${ref.name}" does not match "${wanted}"`,
      );
    }
    const pods = table.of(Pods);
    const pod = await pods.get(ref);
    if (request.preconditions?.uid !== undefined && request.preconditions.uid !== pod.metadata.uid) {
      throw refusals.conflict(
        { group: "", kind: "pods", name: ref.name },
        `the UID in the precondition (${request.preconditions.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
      );
    }
    await pods.admit(created(pods, { ref, subresource: "eviction", body }), own);
    await spend(pod, own);
    if (!isFree(pod)) await pods.modify(ref, disrupt, { ...own, subresource: "status", admitted: true });
    await pods.delete(ref, request, { ...own, admitted: true });
    return success;
  });
}
