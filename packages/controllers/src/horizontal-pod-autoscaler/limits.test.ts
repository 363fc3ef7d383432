import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior } from "@skiff/api";
import { meta, nowMs } from "../fixtures/objects.ts";
import { emptyMemory, limitReplicas, type Memory, rememberScale } from "./limits.ts";

const autoscalerOf = (behavior?: HorizontalPodAutoscalerBehavior): HorizontalPodAutoscaler => ({
  metadata: meta("web"),
  spec: {
    minReplicas: 2,
    maxReplicas: 20,
    scaleTargetRef: { kind: "Deployment", name: "web" },
    ...(behavior === undefined ? {} : { behavior }),
  },
  status: { desiredReplicas: 0 },
});

const at = (secondsAgo: number) => nowMs - secondsAgo * 1000;

function limit(
  current: number,
  proposed: number,
  more: { readonly behavior?: HorizontalPodAutoscalerBehavior; readonly memory?: Partial<Memory> } = {},
) {
  const memory = { ...emptyMemory, ...more.memory };
  const { replicas, ableToScale, limited } = limitReplicas({
    autoscaler: autoscalerOf(more.behavior),
    current,
    proposed,
    memory,
    nowMs,
  });
  return [replicas, ableToScale.reason, limited.reason];
}

describe("without a behaviour", () => {
  test("at most twice as many, four at least", () => {
    assert.deepEqual(limit(5, 30), [10, "ReadyForNewScale", "ScaleUpLimit"]);
    assert.deepEqual(limit(1, 30), [4, "ReadyForNewScale", "ScaleUpLimit"]);
    assert.deepEqual(limit(15, 30), [20, "ReadyForNewScale", "TooManyReplicas"]);
  });

  test("down only when nothing higher was proposed for five minutes", () => {
    const recommendations = [{ replicas: 9, atMs: at(200) }];
    assert.deepEqual(limit(10, 3, { memory: { recommendations } }), [9, "ScaleDownStabilized", "DesiredWithinRange"]);
    const old = [{ replicas: 9, atMs: at(301) }];
    assert.deepEqual(limit(10, 3, { memory: { recommendations: old } }), [3, "ReadyForNewScale", "DesiredWithinRange"]);
  });

  test("not below the minimum", () => {
    assert.deepEqual(limit(10, 0), [2, "ReadyForNewScale", "TooFewReplicas"]);
  });
});

describe("with a behaviour", () => {
  const up = (policies: { type: string; value: number; periodSeconds: number }[], selectPolicy = "Max") => ({
    scaleUp: { policies, selectPolicy, stabilizationWindowSeconds: 0 },
  });
  const pods = { type: "Pods", value: 2, periodSeconds: 60 };
  const percent = { type: "Percent", value: 100, periodSeconds: 60 };

  test("the most or the least of the policies", () => {
    assert.equal(limit(5, 20, { behavior: up([pods, percent]) })[0], 10);
    assert.equal(limit(5, 20, { behavior: up([pods, percent], "Min") })[0], 7);
    assert.deepEqual(limit(5, 20, { behavior: up([pods], "Disabled") }), [5, "ReadyForNewScale", "ScaleUpLimit"]);
  });

  test("what was added within the period counts", () => {
    const ups = [
      { change: 2, atMs: at(30) },
      { change: 5, atMs: at(90) },
    ];
    assert.deepEqual(limit(7, 20, { behavior: up([pods]), memory: { ups } })[0], 7);
    assert.deepEqual(limit(7, 20, { behavior: up([percent]), memory: { ups } })[0], 10);
  });

  test("no faster down than the policies say", () => {
    const scaleDown = { policies: [{ type: "Percent", value: 10, periodSeconds: 60 }], stabilizationWindowSeconds: 0 };
    assert.deepEqual(limit(10, 2, { behavior: { scaleDown } }), [9, "ReadyForNewScale", "ScaleDownLimit"]);
  });

  test("up no faster than the lowest of the recent proposals", () => {
    const behavior = { scaleUp: { stabilizationWindowSeconds: 60, policies: [percent] } };
    const recommendations = [{ replicas: 6, atMs: at(30) }];
    const told = limit(5, 10, { behavior, memory: { recommendations } });
    assert.deepEqual(told, [6, "ScaleUpStabilized", "DesiredWithinRange"]);
  });

  test("changes are remembered for the longest period", () => {
    const autoscaler = autoscalerOf({ scaleUp: { policies: [pods] } });
    const first = rememberScale(autoscaler, emptyMemory, { from: 2, to: 4, atMs: at(100) });
    const second = rememberScale(autoscaler, first, { from: 4, to: 3, atMs: nowMs });
    assert.deepEqual(second, { recommendations: [], ups: [], downs: [{ change: 1, atMs: nowMs }] });
  });
});
