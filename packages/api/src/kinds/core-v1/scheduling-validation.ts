import { fieldError } from "../../field-error.ts";
import type { PodSchedulingGate, Taint, Toleration, TopologySpreadConstraint } from "../../generated/types/core-v1.ts";
import {
  checkChoice,
  checkQualifiedName,
  checkRequiredChoice,
  checkUnique,
  type Findings,
  notPositiveMessage,
} from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { labelValue } from "../../validation/names.ts";
import { checkLabelKeys } from "./label-keys.ts";

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** Taints of a node, no two with the same key and effect. */
export function* checkTaints(field: string, taints: readonly Taint[]): Findings {
  const seen = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const path = `${field}[${index}]`;
    yield* checkQualifiedName(`${path}.key`, taint.key ?? "");
    const problems = labelValue(taint.value ?? "");
    if (problems.length > 0) yield fieldError.invalid(`${path}.value`, taint.value, problems.join(";"));
    yield* checkRequiredChoice(`${path}.effect`, taint.effect, effects);
    const key = `${taint.key}:${taint.effect}`;
    if (seen.has(key)) {
      yield { ...fieldError.duplicate(path, taint), detail: "taints must be unique by key and effect pair" };
    }
    seen.add(key);
  }
}

/** Taints that a pod puts up with. */
export function* checkTolerations(field: string, tolerations: readonly Toleration[]): Findings {
  for (const [index, toleration] of tolerations.entries()) {
    const path = `${field}[${index}]`;
    const { key, operator = "", effect, tolerationSeconds } = toleration;
    if (key) yield* checkQualifiedName(`${path}.key`, key);
    else if (operator !== "Exists") {
      const message = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      yield fieldError.invalid(`${path}.operator`, operator, message);
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const message = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      yield fieldError.invalid(`${path}.effect`, effect ?? "", message);
    }
    yield* checkOperator(`${path}.operator`, toleration);
    if (effect) yield* checkChoice(`${path}.effect`, effect, effects);
  }
}

function* checkOperator(field: string, { operator = "", value = "" }: Toleration): Findings {
  if (operator === "Exists") {
    if (value) yield fieldError.invalid(field, value, "value must be empty when `operator` is 'Exists'");
  } else if (operator === "" || operator === "Equal") {
    const problems = labelValue(value);
    if (problems.length > 0) yield fieldError.invalid(field, value, problems.join(";"));
  } else yield fieldError.notSupported(field, operator, ["Equal", "Exists"]);
}

/** Conditions that somebody else must lift before the pod is scheduled. */
export function* checkSchedulingGates(field: string, gates: readonly PodSchedulingGate[]): Findings {
  const seen = new Set<string>();
  for (const [index, { name }] of gates.entries()) {
    yield* checkQualifiedName(`${field}[${index}]`, name ?? "");
    yield* checkUnique(`${field}[${index}]`, name, seen);
  }
}

/** How evenly pods are spread. */
export function* checkTopologySpread(field: string, constraints: readonly TopologySpreadConstraint[]): Findings {
  for (const [index, constraint] of constraints.entries()) {
    const path = `${field}[${index}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    if (!(maxSkew > 0)) yield fieldError.invalid(`${path}.maxSkew`, maxSkew ?? 0, notPositiveMessage);
    if (!topologyKey) yield fieldError.required(`${path}.topologyKey`, "can not be empty");
    yield* checkChoice(`${path}.whenUnsatisfiable`, whenUnsatisfiable ?? "", ["DoNotSchedule", "ScheduleAnyway"]);
    const repeated = constraints
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (repeated) {
      const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
      yield fieldError.duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, pair);
    }
    yield* checkMinDomains(`${path}.minDomains`, minDomains, whenUnsatisfiable);
    yield* checkChoice(`${path}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ["Honor", "Ignore"]);
    yield* checkChoice(`${path}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ["Honor", "Ignore"]);
    yield* checkLabelKeys(path, constraint);
    yield* checkLabelSelector(`${path}.labelSelector`, constraint.labelSelector);
  }
}

function* checkMinDomains(field: string, minDomains: number | undefined, whenUnsatisfiable: string): Findings {
  if (minDomains === undefined) return;
  if (minDomains <= 0) yield fieldError.invalid(field, minDomains, notPositiveMessage);
  if (whenUnsatisfiable === "DoNotSchedule") return;
  const message = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
  yield fieldError.invalid(field, minDomains, message);
}
