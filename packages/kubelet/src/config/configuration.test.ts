import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDuration } from "@skiff/base";
import { formatDuration } from "./duration.ts";
import { defaultConfiguration, parseKubeletConfiguration } from "./kubelet-configuration.ts";

const head = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };

describe("the kubelet's configuration", () => {
  it("has defaults for what is not said", () => {
    assert.deepEqual(parseKubeletConfiguration(head), defaultConfiguration);
  });

  it("reads what is said", () => {
    const read = parseKubeletConfiguration({
      ...head,
      evictionHard: { "memory.available": "500Mi", "pid.available": "10%" },
      evictionSoft: { "memory.available": "1Gi" },
      evictionSoftGracePeriod: { "memory.available": "1m30s" },
      kubeReserved: { cpu: "100m" },
      containerLogMaxSize: "1Mi",
      authentication: { anonymous: { enabled: true } },
      resolvConf: "",
    });
    assert.equal(read.resolvConf, "");
    assert.deepEqual(read.evictionHard, { "memory.available": "500Mi", "pid.available": "10%" });
    assert.deepEqual(read.evictionSoftGracePeriodMs, { "memory.available": 90_000 });
    assert.equal(read.containerLogMaxBytes, 1_048_576);
    assert.equal(read.anonymousAuth, true);
  });

  it("evicts by what is said and nothing else, unless the defaults are to be merged", () => {
    const evictionHard = { "memory.available": "1Gi" };
    assert.deepEqual(parseKubeletConfiguration({ ...head, evictionHard }).evictionHard, evictionHard);
    const merged = parseKubeletConfiguration({ ...head, evictionHard, mergeDefaultEvictionSettings: true });
    assert.deepEqual(merged.evictionHard, { ...defaultConfiguration.evictionHard, ...evictionHard });
  });

  for (const [what, value, message] of [
    ["another kind", { ...head, kind: "Pod" }, /apiVersion: must be kubelet/],
    ["an unknown signal", { ...head, evictionHard: { "disk.free": "5%" } }, /unknown signal disk.free/],
    [
      "a soft threshold without grace",
      { ...head, evictionSoft: { "memory.available": "1Gi" } },
      /needs a grace period/,
    ],
    ["a duration that is none", { ...head, imageMinimumGCAge: "soon" }, /imageMinimumGCAge: must be a duration/],
    ["resolvers that are no file", { ...head, resolvConf: false }, /resolvConf: must be a text/],
    ["thresholds that cross", { ...head, imageGCHighThresholdPercent: 70 }, /imageGCLowThresholdPercent/],
    ["a resource that cannot be reserved", { ...head, kubeReserved: { gpu: "1" } }, /cannot reserve resource "gpu"/],
  ] as const)
    it(`refuses ${what}`, () => assert.throws(() => parseKubeletConfiguration(value), message));

  for (const [text, ms, again] of [
    ["90s", 90_000, "1m30s"],
    ["1h", 3_600_000, "1h0m0s"],
    ["500ms", 500, "0.5s"],
    ["0", 0, "0s"],
  ] as const)
    it(`understands the duration ${text}`, () => {
      assert.equal(parseDuration(text), ms);
      assert.equal(formatDuration(ms), again);
    });
});
