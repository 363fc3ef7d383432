import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod, PodDisruptionBudget } from "@skiff/api";
import { ago, meta, nowMs, podNamed } from "../fixtures/objects.ts";
import { type ExpectedScale, planBudget } from "./plan.ts";

const budgetOf = (
  spec: PodDisruptionBudget["spec"],
  status: PodDisruptionBudget["status"] = {},
): PodDisruptionBudget => ({ metadata: meta("web"), spec, status });

const pods = (ready: number, others = 0): readonly Pod[] => [
  ...Array.from({ length: ready }, (_, index) => podNamed(`r${index}`, { readyFor: 9 })),
  ...Array.from({ length: others }, (_, index) => podNamed(`u${index}`)),
];

const counts = (spec: PodDisruptionBudget["spec"], all: readonly Pod[], expected = all.length) => {
  const scale: ExpectedScale = { kind: "known", pods: expected };
  const { status } = planBudget({ budget: budgetOf(spec), pods: all, scale, nowMs });
  return [status.expectedPods, status.currentHealthy, status.desiredHealthy, status.disruptionsAllowed];
};

const cases: readonly (readonly [string, PodDisruptionBudget["spec"], readonly Pod[], number, readonly number[]])[] = [
  ["a number that must be there", { minAvailable: 2 }, pods(3), 9, [3, 3, 2, 1]],
  ["of which some are not ready", { minAvailable: 2 }, pods(2, 1), 9, [3, 2, 2, 0]],
  ["a share that must be there, rounded up", { minAvailable: "50%" }, pods(5), 5, [5, 5, 3, 2]],
  ["a share of what there should be", { minAvailable: "50%" }, pods(3), 10, [10, 3, 5, 0]],
  ["a number that may be missing", { maxUnavailable: 1 }, pods(3), 3, [3, 3, 2, 1]],
  ["a share that may be missing, rounded up", { maxUnavailable: "30%" }, pods(5), 5, [5, 5, 3, 2]],
  ["more than there are", { maxUnavailable: 9 }, pods(2), 2, [2, 2, 0, 2]],
  ["no pods", { minAvailable: 1 }, [], 0, [0, 0, 1, 0]],
];

describe("what is allowed", () => {
  for (const [name, spec, all, expected, figures] of cases) {
    test(name, () => assert.deepEqual(counts(spec, all, expected), figures));
  }
});

test("evicted pods count as gone for two minutes", () => {
  const known: ExpectedScale = { kind: "known", pods: 3 };
  const disruptedPods = { r0: ago(30), r1: ago(130), elsewhere: ago(1) };
  const budget = budgetOf({ minAvailable: 1 }, { disruptedPods });
  const plan = planBudget({ budget, pods: pods(3), scale: known, nowMs });
  assert.deepEqual(plan.status.disruptedPods, { r0: ago(30) });
  assert.equal(plan.status.currentHealthy, 2);
  assert.deepEqual(
    plan.notDeleted.map(({ metadata }) => metadata.name),
    ["r1"],
  );
  assert.equal(plan.recheckMs, 90_000);
});

test("where the number is not known nothing may go", () => {
  const budget = budgetOf({ maxUnavailable: 1 }, { disruptionsAllowed: 1, currentHealthy: 2 });
  const { status } = planBudget({ budget, pods: pods(3), scale: { kind: "failed", message: "why" }, nowMs });
  assert.deepEqual([status.disruptionsAllowed, status.currentHealthy], [0, 2]);
  assert.deepEqual(status.conditions, [
    {
      type: "DisruptionAllowed",
      status: "False",
      reason: "SyncFailed",
      message: "why",
      lastTransitionTime: ago(0),
      observedGeneration: 1,
    },
  ]);
});
