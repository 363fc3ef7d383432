import { fieldError } from "../../field-error.ts";
import type { StatefulSet, StatefulSetUpdateStrategy } from "../../generated/types/apps-v1.ts";
import { checkChoice, checkDnsLabel, checkNonNegative, type Findings, sameContent } from "../../validation/checks.ts";
import { checkLabels } from "../../validation/labels.ts";
import { checkAnnotations } from "../../validation/object-meta.ts";
import { checkPodAnnotations } from "../core-v1/pod-validation.ts";
import { specDifference } from "../spec-difference.ts";
import {
  checkAtMostAll,
  checkNotDecremented,
  checkPositiveIntOrPercent,
  checkRunsAlways,
  checkSelector,
  checkTemplateLabels,
  isNone,
} from "./workload-validation.ts";

/** A StatefulSet; `old` is absent for a new one. */
export function* checkStatefulSet({ spec }: StatefulSet, old: StatefulSet | undefined): Findings {
  const { podManagementPolicy, persistentVolumeClaimRetentionPolicy: retention, template } = spec;
  if (!podManagementPolicy) yield fieldError.required("spec.podManagementPolicy");
  else if (podManagementPolicy !== "OrderedReady" && podManagementPolicy !== "Parallel") {
    const message = "must be 'OrderedReady' or 'Parallel'";
    yield fieldError.invalid("spec.podManagementPolicy", podManagementPolicy, message);
  }
  yield* checkUpdateStrategy("spec.updateStrategy", spec.updateStrategy ?? {});
  if (retention) {
    const field = "spec.persistentVolumeClaimRetentionPolicy";
    yield* checkChoice(`${field}.whenDeleted`, retention.whenDeleted ?? "", ["Retain", "Delete"]);
    yield* checkChoice(`${field}.whenScaled`, retention.whenScaled ?? "", ["Retain", "Delete"]);
  }
  yield* checkNonNegative("spec.replicas", spec.replicas);
  yield* checkNonNegative("spec.minReadySeconds", spec.minReadySeconds);
  yield* checkNonNegative("spec.ordinals.start", spec.ordinals?.start);
  // It cannot change, so one that was let in before stays.
  if (old === undefined && spec.serviceName) yield* checkDnsLabel("spec.serviceName", spec.serviceName);
  if (yield* checkSelector(spec.selector, "statefulset")) yield fieldError.invalid("spec.selector", spec.selector, "");
  else {
    // The pods' own spec is not judged here: their claims become volumes that the template does not have yet.
    yield* checkTemplateLabels(spec.selector, template);
    yield* checkLabels("spec.template.labels", template.metadata?.labels);
    yield* checkAnnotations("spec.template.annotations", template.metadata?.annotations);
    yield* checkPodAnnotations("spec.template.annotations", template.metadata?.annotations, template.spec);
  }
  yield* checkRunsAlways("spec.template", template, "StatefulSet");
}

function* checkUpdateStrategy(field: string, strategy: StatefulSetUpdateStrategy): Findings {
  const { type, rollingUpdate } = strategy;
  const path = `${field}.rollingUpdate`;
  if (!type) return yield fieldError.required(field);
  if (type === "OnDelete") {
    if (rollingUpdate) {
      yield fieldError.invalid(path, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'");
    }
    return;
  }
  if (type !== "RollingUpdate") {
    return yield fieldError.invalid(field, strategy, "must be 'RollingUpdate' or 'OnDelete'");
  }
  if (!rollingUpdate) return;
  const { partition, maxUnavailable } = rollingUpdate;
  yield* checkNonNegative(`${path}.partition`, partition);
  if (maxUnavailable === undefined) return;
  yield* checkPositiveIntOrPercent(`${path}.maxUnavailable`, maxUnavailable);
  if (isNone(maxUnavailable)) yield fieldError.invalid(`${path}.maxUnavailable`, maxUnavailable, "cannot be 0");
  yield* checkAtMostAll(`${path}.maxUnavailable`, maxUnavailable);
}

const changeable = new Set([
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
]);

const fixed = ({ spec }: StatefulSet) =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !changeable.has(field)));

/** A change of a StatefulSet: most of its spec cannot change. */
export function* checkStatefulSetUpdate(set: StatefulSet, old: StatefulSet): Findings {
  if (sameContent(fixed(set), fixed(old))) return;
  const difference = specDifference("apps.StatefulSetSpec", fixed(old), fixed(set));
  const message =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden.";
  yield fieldError.forbidden("spec", `${message}\nDifference causing the error:\n${difference}`);
}

const parts = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"] as const;

/** A report of a StatefulSet's state. */
export function* checkStatefulSetStatusUpdate({ status }: StatefulSet, old: StatefulSet): Findings {
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const name of ["replicas", ...parts, "observedGeneration", "collisionCount"] as const) {
    yield* checkNonNegative(`status.${name}`, status[name]);
  }
  for (const name of parts) {
    const count = status[name] ?? 0;
    if (count > replicas) {
      yield fieldError.invalid(`status.${name}`, count, "cannot be greater than status.replicas");
    }
  }
  if (availableReplicas > readyReplicas) {
    const message = "cannot be greater than status.readyReplicas";
    yield fieldError.invalid("status.availableReplicas", availableReplicas, message);
  }
  yield* checkNotDecremented("status.collisionCount", status.collisionCount, old.status?.collisionCount);
}
