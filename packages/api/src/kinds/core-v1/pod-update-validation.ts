import { deepCopy, jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type {
  Container,
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PodSchedulingGate,
  PodSpec,
  Toleration,
} from "../../generated/types/core-v1.ts";
import { checkRange, type Findings } from "../../validation/checks.ts";
import { specDifference } from "../spec-difference.ts";
import { mirrorAnnotation } from "./pod-validation.ts";
import { checkTolerations } from "./scheduling-validation.ts";

const changeable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** A change of a pod: little but images may change once it is there. */
export function* checkPodUpdate(pod: Pod, old: Pod): Findings {
  yield* checkMirrorAnnotation(pod, old);
  for (const kind of ["containers", "initContainers"] as const) {
    if ((pod.spec[kind] ?? []).length === (old.spec[kind] ?? []).length) continue;
    return yield fieldError.forbidden(`spec.${kind}`, "pod updates may not add or remove containers");
  }
  yield* checkDeadline(pod.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
  yield* checkOnlyAdded("spec.tolerations", pod.spec.tolerations ?? [], old.spec.tolerations ?? []);
  yield* checkOnlyRemoved("spec.schedulingGates", pod.spec.schedulingGates ?? [], old.spec.schedulingGates ?? []);
  if (jsonEqual(pod.spec, old.spec)) return;
  const rest = withOldChangeables(pod.spec, old.spec);
  // Who may still be held back by gates may still be told where to go.
  if (old.spec.schedulingGates?.length) yield* checkGatedPlacement(rest, old.spec);
  if (jsonEqual(rest, old.spec)) return;
  const difference = specDifference("core.PodSpec", old.spec, rest);
  yield fieldError.forbidden("spec", `pod updates may not change fields other than ${changeable}\n${difference}`);
}

function* checkMirrorAnnotation(pod: Pod, old: Pod): Findings {
  const value = pod.metadata.annotations?.[mirrorAnnotation];
  const oldValue = old.metadata.annotations?.[mirrorAnnotation];
  if (value === oldValue) return;
  const action = oldValue === undefined ? "add" : "remove or update";
  yield fieldError.forbidden(`metadata.annotations[${mirrorAnnotation}]`, `may not ${action} mirror pod annotation`);
}

function* checkDeadline(seconds: number | undefined, old: number | undefined): Findings {
  const field = "spec.activeDeadlineSeconds";
  if (seconds === undefined) {
    if (old === undefined) return;
    return yield fieldError.invalid(field, seconds, "must not update from a positive integer to nil value");
  }
  yield* checkRange(field, seconds, [0, 2_147_483_647]);
  if (old !== undefined && old < seconds) {
    yield fieldError.invalid(field, seconds, "must be less than or equal to previous value");
  }
}

function* checkOnlyAdded(field: string, tolerations: readonly Toleration[], old: readonly Toleration[]): Findings {
  const withoutSeconds = ({ tolerationSeconds: _seconds, ...rest }: Toleration) => rest;
  const kept = old.every((before) => tolerations.some((now) => jsonEqual(withoutSeconds(before), withoutSeconds(now))));
  if (!kept) {
    const message = "existing toleration can not be modified except its tolerationSeconds";
    return yield fieldError.forbidden(field, message);
  }
  yield* checkTolerations(field, tolerations);
}

function* checkOnlyRemoved(
  field: string,
  gates: readonly PodSchedulingGate[],
  old: readonly PodSchedulingGate[],
): Findings {
  for (const [index, { name }] of gates.entries()) {
    if (old.some((gate) => gate.name === name)) continue;
    const message = `only deletion is allowed, but found new scheduling gate '${name}'`;
    yield fieldError.forbidden(`${field}[${index}].name`, message);
  }
}

/** The new spec with everything that may change put back: what then differs may not. */
function withOldChangeables(spec: PodSpec, old: PodSpec): PodSpec {
  const oldImages = (containers: readonly Container[] | undefined, before: readonly Container[] | undefined) =>
    (containers ?? []).map((container, index) => ({ ...container, image: before?.[index]?.image }));
  const wasNegative = (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  return {
    ...deepCopy(spec),
    containers: oldImages(spec.containers, old.containers),
    initContainers: spec.initContainers && oldImages(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
    ...(wasNegative ? { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds } : {}),
  };
}

/** Narrows where a gated pod may go, and puts back in `rest` what it has judged. */
function* checkGatedPlacement(rest: PodSpec, old: PodSpec): Findings {
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => rest.nodeSelector?.[key] !== value)) {
    const message = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    yield fieldError.invalid("spec.nodeSelector", rest.nodeSelector ?? null, message);
  }
  rest.nodeSelector = old.nodeSelector;
  yield* checkNodeAffinityAdditions(rest.affinity?.nodeAffinity, old.affinity?.nodeAffinity);
  const affinity = { ...rest.affinity, nodeAffinity: old.affinity?.nodeAffinity };
  const empty = old.affinity === undefined && jsonEqual(affinity, {});
  rest.affinity = empty ? undefined : affinity;
}

function* checkNodeAffinityAdditions(affinity: NodeAffinity | undefined, old: NodeAffinity | undefined): Findings {
  const field = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const oldTerms = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (oldTerms.length === 0) return;
  if (terms.length !== oldTerms.length) {
    const message = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    return yield fieldError.invalid(field, terms, message);
  }
  for (const [index, term] of terms.entries()) {
    if (onlyAdds(term, oldTerms[index] ?? {})) continue;
    yield fieldError.invalid(`${field}[${index}]`, term, "only additions are allowed (no mutations or deletions)");
  }
}

function onlyAdds(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const count = (part: NodeSelectorTerm) => (part.matchExpressions?.length ?? 0) + (part.matchFields?.length ?? 0);
  // An empty term matches nothing: any requirement would widen it.
  if (count(old) === 0) return count(term) === 0;
  return (["matchExpressions", "matchFields"] as const).every((part) => {
    const before = old[part] ?? [];
    return jsonEqual((term[part] ?? []).slice(0, before.length), before);
  });
}
