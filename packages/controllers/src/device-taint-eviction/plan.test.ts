import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceTaint, DeviceToleration, ResourceSlice } from "@skiff/api";
import { evictionAtMs } from "./plan.ts";

const since = "2026-01-01T00:00:00Z";
const sinceMs = Date.parse(since);
const slice = (taints: DeviceTaint[], generation = 1): ResourceSlice => ({
  metadata: { name: `s${generation}`, uid: "u", resourceVersion: "1", creationTimestamp: since },
  spec: {
    driver: "d",
    nodeName: "a",
    pool: { name: "a", generation, resourceSliceCount: 1 },
    devices: [{ name: "g0", taints }, { name: "g1" }],
  },
});
const broken: DeviceTaint = { key: "broken", value: "fan", effect: "NoExecute", timeAdded: since };
const claim = (tolerations: DeviceToleration[], device = "g0") => ({
  status: { allocation: { devices: { results: [{ request: "r", driver: "d", pool: "a", device, tolerations }] } } },
});
const exists = { key: "broken", operator: "Exists" };

const table: readonly (readonly [
  string,
  number | undefined,
  Parameters<typeof evictionAtMs>[0],
  readonly ResourceSlice[],
])[] = [
  ["go at once", sinceMs, claim([]), [slice([broken])]],
  ["stay on other devices", undefined, claim([], "g1"), [slice([broken])]],
  ["stay where nobody is to be evicted", undefined, claim([]), [slice([{ ...broken, effect: "NoSchedule" }])]],
  ["stay for ever where that is tolerated", undefined, claim([exists]), [slice([broken])]],
  ["stay for a while", sinceMs + 30_000, claim([{ ...exists, tolerationSeconds: 30 }]), [slice([broken])]],
  [
    "go where another value is tolerated",
    sinceMs,
    claim([{ key: "broken", operator: "Equal", value: "x" }]),
    [slice([broken])],
  ],
  ["go for the taint that is not tolerated", sinceMs, claim([exists]), [slice([broken, { ...broken, key: "hot" }])]],
  ["stay where the newest slices say so", undefined, claim([]), [slice([broken]), slice([], 2)]],
];
for (const [what, expected, held, slices] of table) {
  test(`pods whose devices are tainted ${what}`, () => {
    assert.equal(evictionAtMs(held, slices, sinceMs + 1000), expected);
  });
}
