import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeOf, nowMs } from "../fixtures/objects.ts";
import { mayStayMs } from "../taint-eviction/plan.ts";
import { type Eviction, plannedTaints, silentConditions } from "./plan.ts";

const taint = (key: string, effect: string) => ({ key: `node.kubernetes.io/${key}`, effect });

interface TaintCase {
  readonly name: string;
  readonly conditions: Readonly<Record<string, string>>;
  readonly before?: { readonly key: string; readonly effect: string }[];
  readonly unschedulable?: boolean;
  readonly eviction?: Eviction;
  readonly expected: readonly string[] | undefined;
}

const taints: readonly TaintCase[] = [
  { name: "ready", conditions: { Ready: "True" }, expected: undefined },
  { name: "not ready", conditions: { Ready: "False" }, expected: ["not-ready NoSchedule", "not-ready NoExecute"] },
  { name: "unknown", conditions: { Ready: "Unknown" }, expected: ["unreachable NoSchedule", "unreachable NoExecute"] },
  { name: "all are lost", conditions: { Ready: "Unknown" }, eviction: "never", expected: ["unreachable NoSchedule"] },
  { name: "not its turn", conditions: { Ready: "Unknown" }, eviction: "later", expected: ["unreachable NoSchedule"] },
  {
    name: "its turn was before, but for another reason",
    conditions: { Ready: "Unknown" },
    before: [taint("not-ready", "NoExecute"), taint("not-ready", "NoSchedule")],
    eviction: "later",
    expected: ["unreachable NoSchedule", "unreachable NoExecute"],
  },
  { name: "pressure", conditions: { Ready: "True", DiskPressure: "True" }, expected: ["disk-pressure NoSchedule"] },
  {
    name: "back again, others' taints stay",
    conditions: { Ready: "True" },
    before: [
      taint("unreachable", "NoExecute"),
      taint("unreachable", "NoSchedule"),
      { key: "mine", effect: "NoSchedule" },
    ],
    expected: ["mine NoSchedule"],
  },
  { name: "cordoned", conditions: { Ready: "True" }, unschedulable: true, expected: ["unschedulable NoSchedule"] },
];

for (const { name, conditions, before, unschedulable, eviction = "now", expected } of taints) {
  test(`taints: ${name}`, () => {
    const node = nodeOf(conditions, {
      ...(before === undefined ? {} : { taints: before }),
      ...(unschedulable === undefined ? {} : { unschedulable }),
    });
    const planned = plannedTaints(node, { eviction, nowMs });
    assert.deepEqual(
      planned?.map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")} ${effect}`),
      expected,
    );
  });
}

test("a silent node vouches for nothing, and is told so once", () => {
  const node = nodeOf({ Ready: "True", MemoryPressure: "False", NetworkUnavailable: "False" });
  const conditions = silentConditions(node, nowMs);
  assert.deepEqual(
    conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
    [
      "NetworkUnavailable False undefined",
      "Ready Unknown NodeStatusUnknown",
      "MemoryPressure Unknown NodeStatusUnknown",
      "DiskPressure Unknown NodeStatusNeverUpdated",
      "PIDPressure Unknown NodeStatusNeverUpdated",
    ],
  );
  assert.ok(conditions);
  assert.equal(silentConditions({ ...node, status: { conditions } }, nowMs), undefined);
});

const stays = [
  { name: "no taints", taints: [], tolerations: [], expected: undefined },
  { name: "not tolerated", taints: [taint("unreachable", "NoExecute")], tolerations: [], expected: 0 },
  {
    name: "tolerated for a while",
    taints: [taint("unreachable", "NoExecute")],
    tolerations: [{ key: "node.kubernetes.io/unreachable", operator: "Exists", tolerationSeconds: 300 }],
    expected: 300_000,
  },
  {
    name: "the shortest counts",
    taints: [taint("a", "NoExecute"), taint("b", "NoExecute")],
    tolerations: [
      { key: "node.kubernetes.io/a", operator: "Exists", tolerationSeconds: 20 },
      { operator: "Exists", tolerationSeconds: 10 },
    ],
    expected: 10_000,
  },
  { name: "for ever", taints: [taint("a", "NoExecute")], tolerations: [{ operator: "Exists" }], expected: undefined },
  {
    name: "negative is none",
    taints: [taint("a", "NoExecute")],
    tolerations: [{ operator: "Exists", tolerationSeconds: -1 }],
    expected: 0,
  },
];

for (const { name, taints, tolerations, expected } of stays) {
  test(`a pod may stay: ${name}`, () => assert.equal(mayStayMs(taints, tolerations), expected));
}
