import { fieldError } from "../../field-error.ts";
import type { DaemonSet, DaemonSetUpdateStrategy } from "../../generated/types/apps-v1.ts";
import { labelSelectorOf } from "../../selectors/label-selector.ts";
import { checkImmutable, checkNonNegative, type Findings } from "../../validation/checks.ts";
import { checkLabelSelector, selectsAll } from "../../validation/labels.ts";
import { checkPodTemplate } from "../core-v1/pod-validation.ts";
import {
  checkAtMostAll,
  checkNotDecremented,
  checkPositiveIntOrPercent,
  checkRunsAlways,
  isNone,
} from "./workload-validation.ts";

/** A DaemonSet. */
export function* checkDaemonSet({ spec }: DaemonSet): Findings {
  const { selector, template } = spec;
  const problems = [...checkLabelSelector("spec.selector", selector)];
  yield* problems;
  const labels = template.metadata?.labels;
  // A selector that is not there selects nothing, so also not these pods.
  if (problems.length === 0 && !labelSelectorOf(selector).matches(labels)) {
    const message = "`selector` does not match template `labels`";
    yield fieldError.invalid("spec.template.metadata.labels", labels, message);
  }
  if (selectsAll(selector)) {
    yield fieldError.invalid("spec.selector", selector, "empty selector is invalid for daemonset");
  }
  yield* checkPodTemplate("spec.template", template);
  yield* checkRunsAlways("spec.template", template, "DaemonSet");
  yield* checkNonNegative("spec.minReadySeconds", spec.minReadySeconds);
  yield* checkUpdateStrategy("spec.updateStrategy", spec.updateStrategy ?? {});
  yield* checkNonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit);
}

function* checkUpdateStrategy(field: string, strategy: DaemonSetUpdateStrategy): Findings {
  if (strategy.type === "OnDelete") return;
  if (strategy.type !== "RollingUpdate") {
    return yield fieldError.notSupported(field, strategy, ["RollingUpdate", "OnDelete"]);
  }
  const path = `${field}.rollingUpdate`;
  if (!strategy.rollingUpdate) return yield fieldError.required(path);
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate;
  for (const check of [checkPositiveIntOrPercent, checkAtMostAll]) {
    yield* check(`${path}.maxUnavailable`, maxUnavailable);
    yield* check(`${path}.maxSurge`, maxSurge);
  }
  if (!isNone(maxUnavailable) && !isNone(maxSurge)) {
    yield fieldError.invalid(`${path}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero");
  } else if (isNone(maxUnavailable) && isNone(maxSurge)) {
    yield fieldError.required(`${path}.maxUnavailable`, "cannot be 0 when maxSurge is 0");
  }
}

/** A change of a DaemonSet. */
export const checkDaemonSetUpdate = ({ spec }: DaemonSet, old: DaemonSet): Findings =>
  checkImmutable("spec.selector", spec.selector, old.spec.selector);

const counts = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
] as const;

/** A report of a DaemonSet's state. */
export function* checkDaemonSetStatusUpdate({ status }: DaemonSet, old: DaemonSet): Findings {
  for (const name of counts) yield* checkNonNegative(`status.${name}`, status[name]);
  yield* checkNotDecremented("status.collisionCount", status.collisionCount, old.status?.collisionCount);
}
