import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Pod } from "@skiff/api";
import { ago, nowMs, podNamed } from "../fixtures/objects.ts";
import type { PodSamples } from "./metrics-source.ts";
import { type PodsMetric, replicasForAverage, replicasForUtilization, replicasForValue } from "./replicas-for.ts";

interface Facts {
  /** Thousandths used; no figures where absent. */
  readonly used?: number;
  readonly phase?: string;
  readonly deleting?: boolean;
  readonly ready?: boolean;
  /** Seconds since it started and since its readiness changed. */
  readonly startedAgo?: number;
  readonly changedAgo?: number;
}

/** Pods that request one unit each. */
function metricOf(facts: readonly Facts[], more: Partial<PodsMetric> = {}): PodsMetric {
  const samples = new Map<string, { millisByContainer: Map<string, number>; atMs: number; windowMs: number }>();
  const pods = facts.map((fact, index): Pod => {
    const { ready = true, startedAgo = 3600, changedAgo = 3000, phase = "Running", deleting = false } = fact;
    const pod = podNamed(`p${index}`, { phase, deleting });
    pod.spec.containers = [{ name: "c", image: "i", resources: { requests: { cpu: "1" } } }];
    pod.status.startTime = ago(startedAgo);
    const status = ready ? "True" : "False";
    pod.status.conditions = [{ type: "Ready", status, lastTransitionTime: ago(changedAgo) }];
    if (fact.used !== undefined) {
      samples.set(`p${index}`, { millisByContainer: new Map([["c", fact.used]]), atMs: nowMs, windowMs: 30_000 });
    }
    return pod;
  });
  const figures: PodSamples = samples;
  const tolerances = { up: 0.1, down: 0.1 };
  return { pods, samples: figures, resource: "cpu", currentReplicas: pods.length, tolerances, nowMs, ...more };
}

const used = (...millis: readonly number[]): Facts[] => millis.map((one) => ({ used: one }));

describe("by the share of what is requested", () => {
  const cases: readonly (readonly [string, readonly Facts[], number, number])[] = [
    ["more than the target", used(300, 500, 700), 30, 5],
    ["less than the target", used(100, 300, 500), 100, 1],
    ["close to the target", used(1010, 1030, 1020), 100, 3],
    [
      "a new pod's first cpu is passed over",
      [...used(300, 500), { used: 900, ready: false, startedAgo: 60, changedAgo: 60 }],
      30,
      3,
    ],
    [
      "a pod that was ready long enough counts",
      [...used(300, 500), { used: 900, startedAgo: 120, changedAgo: 100 }],
      30,
      6,
    ],
    ["pods without figures hold up growth", [...used(1000, 1000), {}], 50, 4],
    ["and shrinking", [...used(100, 100), {}], 50, 3],
    [
      "failed and going pods do not count",
      [...used(500, 500), { used: 900, phase: "Failed" }, { used: 900, deleting: true }],
      50,
      4,
    ],
    ["pending ones hold up growth", [...used(500, 500), { phase: "Pending" }], 30, 3],
  ];
  for (const [name, facts, target, expected] of cases) {
    test(name, () => {
      const current = name.startsWith("failed") ? 4 : facts.length;
      assert.equal(replicasForUtilization(metricOf(facts, { currentReplicas: current }), target).replicas, expected);
    });
  }

  test("told as a share and as an average", () => {
    const { utilization, averageMillis } = replicasForUtilization(metricOf(used(300, 500)), 40);
    assert.deepEqual([utilization, averageMillis], [40, 400]);
  });

  test("a pod that requests nothing is told of", () => {
    const metric = metricOf(used(1));
    const [pod] = metric.pods;
    assert.ok(pod);
    pod.spec.containers = [{ name: "c", image: "i" }];
    assert.throws(() => replicasForUtilization(metric, 50), /missing request for cpu in container c of Pod p0/);
  });

  test("no figures at all", () => {
    assert.throws(() => replicasForUtilization(metricOf([{}]), 50), /did not receive metrics for targeted pods/);
  });
});

test("by an average", () => {
  assert.equal(replicasForAverage(metricOf(used(20_000, 10_000, 30_000), { resource: "" }), 15_000).replicas, 4);
});

test("by a figure of something else", () => {
  const of = { usageMillis: 20_000, currentReplicas: 3, readyPods: 3, tolerances: { up: 0.1, down: 0.1 } };
  assert.equal(replicasForValue({ ...of, target: { valueMillis: 15_000 } }), 4);
  assert.equal(replicasForValue({ ...of, target: { valueMillis: 20_500 } }), 3);
  assert.equal(replicasForValue({ ...of, target: { averageMillis: 5_000 } }), 4);
  assert.equal(replicasForValue({ ...of, currentReplicas: 0, target: { averageMillis: 5_000 } }), 4);
});
