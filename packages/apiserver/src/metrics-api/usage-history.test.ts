import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUsage } from "./parse-usage.ts";
import { UsageHistory } from "./usage-history.ts";

const pod = { namespace: "default", name: "web" };
const point = (atMs: number, cpuMs: number, startedMs = 0) => ({
  namespace: "default",
  pod: "web",
  container: "main",
  atMs,
  startedMs,
  cpuNanos: cpuMs * 1e6,
  memoryBytes: 4096,
});

/** Points one after the other, `[at, cpu, started]` in milliseconds, and what is known after the last. */
const cases: readonly [
  string,
  readonly Parameters<typeof point>[],
  { windowMs: number; cpuNanos: number } | undefined,
][] = [
  ["one point says nothing", [[60_000, 100]], undefined],
  [
    "two points have a window",
    [
      [60_000, 100],
      [75_000, 1600],
    ],
    { windowMs: 15_000, cpuNanos: 100_000_000 },
  ],
  [
    "the earliest of three is forgotten",
    [
      [30_000, 0],
      [45_000, 0],
      [60_000, 1500],
    ],
    { windowMs: 15_000, cpuNanos: 1e8 },
  ],
  [
    "the same point again leaves things as they are",
    [
      [60_000, 0],
      [75_000, 1500],
      [75_000, 1500],
    ],
    { windowMs: 15_000, cpuNanos: 1e8 },
  ],
  ["a container that has just begun counts from there", [[60_000, 1200, 48_000]], { windowMs: 12_000, cpuNanos: 1e8 }],
  ["in its first seconds it does not", [[60_000, 800, 52_000]], undefined],
  [
    "after a restart nothing is known",
    [
      [60_000, 9000],
      [75_000, 10, 70_000],
    ],
    undefined,
  ],
  [
    "nor where the counter ran backwards",
    [
      [60_000, 9000],
      [75_000, 10],
    ],
    undefined,
  ],
];

for (const [name, points, known] of cases) {
  test(`usage: ${name}`, () => {
    const history = new UsageHistory(15_000);
    for (const one of points) history.record("node", { node: undefined, containers: [point(...one)] });
    const rate = history.pod("node", pod)?.get("main");
    assert.deepEqual(rate && { windowMs: rate.windowMs, cpuNanos: rate.cpuNanos }, known);
  });
}

test("usage: of a pod with a container that is not known, nothing is known", () => {
  const history = new UsageHistory(15_000);
  history.record("node", { node: undefined, containers: [point(0, 0)] });
  history.record("node", {
    node: undefined,
    containers: [point(15_000, 1), { ...point(15_000, 1), container: "two" }],
  });
  assert.equal(history.pod("node", pod), undefined);
  history.forget("node");
  assert.deepEqual(history.nodes(), []);
});

test("usage: what a kubelet tells is read", () => {
  const text = `# HELP container_cpu_usage_seconds_total [STABLE] x
container_cpu_usage_seconds_total{container="a",namespace="n",pod="p"} 1.5 2000
container_memory_working_set_bytes{container="a",namespace="n",pod="p"} 4.096e+03 2000
container_start_time_seconds{container="a",namespace="n",pod="p"} 1
container_cpu_usage_seconds_total{container="half",namespace="n",pod="p"} 1.5 2000
node_cpu_usage_seconds_total 20 3000
node_memory_working_set_bytes 100 3000
pod_cpu_usage_seconds_total{namespace="n",pod="p"} 7 3000
nonsense
`;
  const about = { namespace: "", pod: "", container: "", startedMs: undefined };
  assert.deepEqual(parseUsage(text, 9), {
    node: { ...about, atMs: 3000, cpuNanos: 20e9, memoryBytes: 100 },
    containers: [
      { namespace: "n", pod: "p", container: "a", atMs: 2000, startedMs: 1000, cpuNanos: 1.5e9, memoryBytes: 4096 },
    ],
  });
});
