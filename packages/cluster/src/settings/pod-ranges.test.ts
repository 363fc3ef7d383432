import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterError } from "./cluster-error.ts";
import { type PodRangeFlags, podRangesOf, wantedPodRange } from "./pod-ranges.ts";

const good: readonly { readonly flags: PodRangeFlags; readonly read: readonly unknown[] | undefined }[] = [
  { flags: {}, read: undefined },
  { flags: { clusterCidr: "10.7.3.1/16" }, read: ["10.7.0.0/16", 24] },
  { flags: { nodeCidrMaskSize: 26 }, read: ["10.42.0.0/16", 26] },
  { flags: { clusterCidr: "10.7.0.0/16,fd00::/48" }, read: ["10.7.0.0/16,fd00::/48", 24, 64] },
  {
    flags: { clusterCidr: "10.7.0.0/16,fd00::/56", nodeCidrMaskSizeIpv4: 25, nodeCidrMaskSizeIpv6: 72 },
    read: ["10.7.0.0/16,fd00::/56", 25, 72],
  },
];

for (const { flags, read } of good) {
  test(`what ${JSON.stringify(flags)} says of pods' ranges is read`, () => {
    const found = podRangesOf(flags);
    assert.deepEqual(found === undefined ? undefined : [found.clusterCidr, ...found.nodeMaskSizes], read);
  });
}

const bad: readonly PodRangeFlags[] = [
  { clusterCidr: "10.7.0.0" },
  { clusterCidr: "" },
  { clusterCidr: "fd00::/48" },
  { clusterCidr: "10.7.0.0/16,10.8.0.0/16" },
  { clusterCidr: "10.7.0.0/16,fd00::/48,fd01::/48" },
  { clusterCidr: "10.7.0.0/16,fd00::/48", nodeCidrMaskSize: 24 },
  { clusterCidr: "10.0.0.0/7" },
  { clusterCidr: "10.7.0.0/25" },
  { nodeCidrMaskSize: 31 },
];

for (const flags of bad) {
  test(`${JSON.stringify(flags)} is refused`, () => {
    assert.throws(() => podRangesOf(flags), ClusterError);
  });
}

test("clusters of one machine want each another range", () => {
  const ranges = { clusterCidr: "10.42.0.0/16", nodeMaskSizes: [24] };
  assert.deepEqual([wantedPodRange(ranges, 0), wantedPodRange(ranges, 3)], ["10.42.0.0/24", "10.42.3.0/24"]);
  assert.equal(wantedPodRange({ clusterCidr: "10.7.0.0/24", nodeMaskSizes: [25] }, 3), "10.7.0.128/25");
});
