import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod, PodAffinityTerm } from "../../generated/types/core-v1.ts";
import { mergeLabelKeys } from "./label-keys.ts";

const selector = { matchLabels: { app: "web" }, matchExpressions: [{ key: "tier", operator: "Exists" }] };

function podWith(spec: Partial<Pod["spec"]>): Pod {
  const metadata = {
    name: "p",
    namespace: "default",
    uid: "u",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: { v: "2", team: "x" },
  };
  return { metadata, spec: { containers: [{ name: "main", image: "x" }], ...spec }, status: {} };
}

const term = (more: Partial<PodAffinityTerm>): PodAffinityTerm => ({
  topologyKey: "zone",
  labelSelector: selector,
  ...more,
});
const inVersion = { key: "v", operator: "In", values: ["2"] };
const notOfTeam = { key: "team", operator: "NotIn", values: ["x"] };

describe("keys of labels", () => {
  const table: readonly (readonly [string, Partial<PodAffinityTerm>, readonly object[]])[] = [
    ["none", {}, []],
    ["that match", { matchLabelKeys: ["v"] }, [inVersion]],
    ["that do not", { mismatchLabelKeys: ["team"] }, [notOfTeam]],
    ["of both sorts", { matchLabelKeys: ["v"], mismatchLabelKeys: ["team"] }, [inVersion, notOfTeam]],
    ["that the pod does not have", { matchLabelKeys: ["other", "v"] }, [inVersion]],
  ];
  for (const [what, keys, added] of table) {
    it(`${what}: are written into selectors of terms, whatever sort of term it is`, () => {
      for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
        const required = podWith({
          affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term(keys)] } },
        });
        mergeLabelKeys(required);
        const weighted = [{ weight: 1, podAffinityTerm: term(keys) }];
        const preferred = podWith({
          affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: weighted } },
        });
        mergeLabelKeys(preferred);
        const wanted = { ...selector, matchExpressions: [...selector.matchExpressions, ...added] };
        const [hard] = required.spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
        const [soft] = preferred.spec.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
        assert.deepEqual(hard?.labelSelector, wanted);
        assert.deepEqual(soft?.podAffinityTerm.labelSelector, wanted);
      }
    });
  }
  it("are written into selectors of constraints, and change nothing without a selector", () => {
    const spread = { topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", matchLabelKeys: ["v"] };
    const pod = podWith({ topologySpreadConstraints: [{ ...spread, labelSelector: {} }, { ...spread }] });
    mergeLabelKeys(pod);
    assert.deepEqual(
      pod.spec.topologySpreadConstraints?.map(({ labelSelector }) => labelSelector),
      [{ matchExpressions: [inVersion] }, undefined],
    );
  });
});
