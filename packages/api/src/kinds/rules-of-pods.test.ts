import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeSelectorTerm, PodSpec, Taint, Toleration } from "../generated/types/core-v1.ts";
import { ReplicaSets } from "./definitions.ts";
import { nodeSelectorTermMatches, podFitsNodeLabels } from "./node-selector.ts";
import { controllerOf, ownerReference } from "./ownership.ts";
import { podLimits, podRequests } from "./pod-requests.ts";
import { podTemplateHash } from "./pod-template-hash.ts";
import { qosClass } from "./quality-of-service.ts";
import { sampleMeta } from "./sample-objects.ts";
import { tolerates, untoleratedTaint } from "./taints.ts";

const asking = (name: string, requests: Record<string, string>, limits: Record<string, string> = {}) => ({
  name,
  resources: { requests, limits },
});

const sums: readonly { readonly name: string; readonly spec: PodSpec; readonly requests: Record<string, string> }[] = [
  {
    name: "containers add up",
    spec: { containers: [asking("a", { cpu: "250m", memory: "1Gi" }), asking("b", { cpu: "1" })] },
    requests: { cpu: "1250m", memory: "1Gi" },
  },
  {
    name: "init containers run one at a time",
    spec: {
      containers: [asking("a", { cpu: "1" })],
      initContainers: [asking("i", { cpu: "3" }), asking("j", { cpu: "2", memory: "1Mi" })],
    },
    requests: { cpu: "3", memory: "1Mi" },
  },
  {
    name: "sidecars run beside what comes after them",
    spec: {
      containers: [asking("a", { cpu: "1" })],
      initContainers: [
        asking("first", { cpu: "2" }),
        { ...asking("side", { cpu: "1" }), restartPolicy: "Always" },
        asking("last", { cpu: "2" }),
      ],
    },
    requests: { cpu: "3" },
  },
  {
    name: "overhead comes on top",
    spec: { containers: [asking("a", { cpu: "1" })], overhead: { cpu: "250m", memory: "64Mi" } },
    requests: { cpu: "1250m", memory: "64Mi" },
  },
  {
    name: "the pod as a whole goes before its containers",
    spec: { containers: [asking("a", { cpu: "1", memory: "1Mi" })], resources: { requests: { cpu: "2" } } },
    requests: { cpu: "2", memory: "1Mi" },
  },
];

for (const { name, spec, requests } of sums) {
  test(`requests: ${name}`, () => assert.deepEqual(podRequests({ spec }), requests));
}

test("overhead limits only what is limited", () => {
  const spec = { containers: [asking("a", {}, { cpu: "1" })], overhead: { cpu: "250m", memory: "64Mi" } };
  assert.deepEqual(podLimits({ spec }), { cpu: "1250m" });
});

const full = { cpu: "1", memory: "1Gi" };
const qualities: readonly (readonly [string, PodSpec, string])[] = [
  ["nothing asked", { containers: [{ name: "a" }] }, "BestEffort"],
  ["zero asked", { containers: [asking("a", { cpu: "0" })] }, "BestEffort"],
  ["all limited", { containers: [asking("a", full, full)] }, "Guaranteed"],
  ["one not limited", { containers: [asking("a", full, full), { name: "b" }] }, "Burstable"],
  ["less asked", { containers: [asking("a", { ...full, cpu: "500m" }, full)] }, "Burstable"],
  [
    "an init container without",
    { containers: [asking("a", full, full)], initContainers: [{ name: "i" }] },
    "Burstable",
  ],
  ["pod as a whole", { containers: [{ name: "a" }], resources: { requests: full, limits: full } }, "Guaranteed"],
];

for (const [name, spec, expected] of qualities) {
  test(`quality of service: ${name}`, () => assert.equal(qosClass({ spec }), expected));
}

const taint: Taint = { key: "a", value: "1", effect: "NoSchedule" };
const tolerations: readonly (readonly [Toleration, boolean])[] = [
  [{ operator: "Exists" }, true],
  [{ key: "a", operator: "Exists" }, true],
  [{ key: "a", value: "1" }, true],
  [{ key: "a", value: "2" }, false],
  [{ key: "a", operator: "Exists", effect: "NoExecute" }, false],
  [{ key: "b", operator: "Exists" }, false],
  [{ key: "a", operator: "Gt", value: "0" }, true],
  [{ key: "a", operator: "Lt", value: "1" }, false],
];

for (const [toleration, expected] of tolerations) {
  test(`${JSON.stringify(toleration)} tolerates: ${expected}`, () =>
    assert.equal(tolerates(toleration, taint), expected));
}

test("the first taint that matters and is not tolerated", () => {
  const taints = [taint, { key: "b", effect: "NoExecute" }, { key: "c", effect: "NoSchedule" }];
  assert.equal(untoleratedTaint(taints, [{ key: "a", operator: "Exists" }], ["NoSchedule"])?.key, "c");
  assert.equal(untoleratedTaint(taints, [{ operator: "Exists" }], ["NoSchedule"]), undefined);
});

const node = { metadata: { name: "one", labels: { zone: "a", cores: "16" } } };
const terms: readonly (readonly [NodeSelectorTerm, boolean])[] = [
  [{}, false],
  [{ matchExpressions: [{ key: "zone", operator: "In", values: ["a", "b"] }] }, true],
  [{ matchExpressions: [{ key: "zone", operator: "NotIn", values: ["a"] }] }, false],
  [{ matchExpressions: [{ key: "disk", operator: "NotIn", values: ["a"] }] }, true],
  [{ matchExpressions: [{ key: "disk", operator: "DoesNotExist" }] }, true],
  [{ matchExpressions: [{ key: "cores", operator: "Gt", values: ["9"] }] }, true],
  [{ matchExpressions: [{ key: "cores", operator: "Lt", values: ["16"] }] }, false],
  [{ matchExpressions: [{ key: "zone", operator: "Gt", values: ["9"] }] }, false],
  [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["one"] }] }, true],
  [{ matchFields: [{ key: "metadata.name", operator: "NotIn", values: ["one"] }] }, false],
];

for (const [term, expected] of terms) {
  test(`${JSON.stringify(term)} matches: ${expected}`, () =>
    assert.equal(nodeSelectorTermMatches(term, node), expected));
}

test("selector and affinity must both allow a node", () => {
  const required = { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "Exists" }] }] };
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
  assert.equal(podFitsNodeLabels({ affinity, nodeSelector: { zone: "a" } }, node), true);
  assert.equal(podFitsNodeLabels({ affinity, nodeSelector: { zone: "b" } }, node), false);
});

test("a template's hash is of its content, not of its order", () => {
  const spec = { containers: [{ name: "a", image: "b" }] };
  const hash = podTemplateHash({ metadata: { labels: { a: "1", b: "2" } }, spec });
  assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.equal(podTemplateHash({ spec, metadata: { labels: { b: "2", a: "1" } } }), hash);
  assert.notEqual(podTemplateHash({ spec, metadata: { labels: { a: "1", b: "3" } } }), hash);
  assert.notEqual(podTemplateHash({ metadata: { labels: { a: "1", b: "2" } }, spec }, 1), hash);
});

test("who owns finds what it owns", () => {
  const owner = { metadata: sampleMeta("web-1") };
  const reference = ownerReference(ReplicaSets, owner);
  assert.deepEqual(reference, {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name: "web-1",
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  });
  const { controller: _controller, ...other } = reference;
  assert.equal(controllerOf({ metadata: { ownerReferences: [other, reference] } }), reference);
  assert.equal(controllerOf({ metadata: {} }), undefined);
});
