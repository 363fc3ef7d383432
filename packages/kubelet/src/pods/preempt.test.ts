import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { podsToPreempt, type Shortage } from "./preempt.ts";

type Texts = Record<string, string>;
const pod = (name: string, requests: Texts, more: Partial<Pod["spec"]> & { limits?: Texts } = {}): Pod => {
  const { limits = {}, ...spec } = more;
  return podOf({ containers: [containerOf("a", { resources: { requests, limits } })], ...spec }, { name, uid: name });
};
const guaranteed = (name: string, amounts: Texts) => pod(name, amounts, { limits: amounts });
const critical = podOf({ priority: 2_000_000_000 });
const small = pod("small", { cpu: "100m", memory: "100Mi" });
const large = pod("large", { cpu: "900m", memory: "900Mi" });
const sure = guaranteed("sure", { cpu: "500m", memory: "500Mi" });
const other = pod("other", { cpu: "900m", memory: "900Mi" }, { priority: 2_000_000_000 });
const none = podOf({}, { name: "none", uid: "none" });
const cpu = (amount: number): Shortage[] => [{ resource: "cpu", amount }];

const table: readonly (readonly [string, readonly Pod[], readonly Shortage[], string])[] = [
  ["the one that is enough", [small, large, sure], cpu(300), "large"],
  ["the smallest of those that are enough", [large, small, sure], cpu(50), "small"],
  ["guaranteed pods only where the others are not enough", [small, large, sure], cpu(1200), "large sure"],
  ["as many as are needed", [small, large], cpu(950), "small large"],
  ["any pod where only pods are too many", [none, small, large], [{ resource: "pods", amount: 1 }], "none"],
  ["none that is critical itself", [other], cpu(100), "nobody"],
  ["none where all together are not enough", [small, large], cpu(2000), "nobody"],
];

describe("who goes so that a critical pod fits", () => {
  for (const [name, others, shortages, expected] of table)
    it(name, () => {
      const victims = podsToPreempt(critical, others, shortages);
      const names = victims?.map((one) => one.metadata.name).sort();
      assert.deepEqual(names ?? ["nobody"], expected.split(" ").sort());
    });
});
