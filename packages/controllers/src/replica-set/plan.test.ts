import assert from "node:assert/strict";
import { test } from "node:test";
import { nowMs, type PodFacts, podNamed, setNamed } from "../fixtures/objects.ts";
import { planReplicas, planStatus } from "./plan.ts";

const ranking = { crowding: new Map([["n1", 1]]), nowMs };

/** Each pair: the first is deleted before the second. */
const pairs: readonly { readonly name: string; readonly first: PodFacts; readonly second: PodFacts }[] = [
  { name: "without a node", first: { node: "" }, second: { phase: "Pending" } },
  { name: "pending", first: { phase: "Pending", readyFor: 9 }, second: { phase: "Unknown" } },
  { name: "unknown before running", first: { phase: "Unknown" }, second: { phase: "Running" } },
  { name: "not ready", first: { cost: 9 }, second: { readyFor: 9, cost: 1 } },
  { name: "cheaper", first: { readyFor: 9, cost: -1 }, second: { readyFor: 1 } },
  { name: "of a crowded node", first: { readyFor: 9, node: "n1" }, second: { readyFor: 1, node: "n2" } },
  { name: "ready for less long", first: { readyFor: 1 }, second: { readyFor: 600 } },
  { name: "restarted more often", first: { readyFor: 9, restarts: 2 }, second: { readyFor: 9, ageSeconds: 1 } },
  { name: "younger", first: { readyFor: 9, ageSeconds: 60 }, second: { readyFor: 9, ageSeconds: 6000 } },
];

for (const { name, first, second } of pairs) {
  test(`goes first: ${name}`, () => {
    const set = setNamed("s", { replicas: 1 });
    for (const [a, b] of [
      [first, second],
      [second, first],
    ] as const) {
      const pods = [podNamed("a", a), podNamed("b", b)];
      const { remove } = planReplicas(set, pods, ranking);
      assert.deepEqual(
        remove.map(({ metadata }) => metadata.name),
        [a === first ? "a" : "b"],
      );
    }
  });
}

test("no more than 500 at once, nothing while the set is being deleted", () => {
  assert.equal(planReplicas(setNamed("s", { replicas: 800 }), [], ranking).create, 500);
  const leaving = setNamed("s", { replicas: 3 });
  leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  assert.equal(planReplicas(leaving, [], ranking).create, 0);
});

test("status counts active pods; those ready for minReadySeconds are available, the next one is waited for", () => {
  const set = setNamed("s", { replicas: 4, minReadySeconds: 30 });
  const labels = { app: "web" };
  const pods = [
    podNamed("a", { labels, readyFor: 40 }),
    podNamed("b", { labels, readyFor: 10 }),
    podNamed("c", { labels: {} }),
    podNamed("d", { labels, readyFor: 99, deleting: true }),
  ];
  const { status, recheckMs } = planStatus({ set, pods, failure: undefined, nowMs });
  assert.deepEqual(JSON.parse(JSON.stringify(status)), {
    replicas: 3,
    fullyLabeledReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 1,
    terminatingReplicas: 1,
    observedGeneration: 1,
  });
  assert.equal(recheckMs, 20_000);
});

test("a failure is told once and taken back", () => {
  const set = setNamed("s", { replicas: 1 });
  const failure = { reason: "FailedCreate", message: "exceeded quota" } as const;
  const first = planStatus({ set, pods: [], failure, nowMs }).status;
  const later = planStatus({ set: { ...set, status: first }, pods: [], failure, nowMs: nowMs + 60_000 }).status;
  assert.deepEqual(later.conditions, first.conditions);
  assert.equal(
    planStatus({ set: { ...set, status: first }, pods: [], failure: undefined, nowMs }).status.conditions,
    undefined,
  );
});
