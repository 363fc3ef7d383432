import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Deployments,
  HorizontalPodAutoscalers,
  HorizontalPodAutoscalersV1,
  MutatingWebhookConfigurations,
  Namespaces,
  Nodes,
  Pods,
  StatusError,
  ValidatingAdmissionPolicyBindings,
} from "@skiff/api";
import type { AdmissionRequest } from "../../contracts.ts";
import { admissionRequest } from "../../fixtures/admission-request.ts";
import { fakeTable } from "../../fixtures/fake-table.ts";
import { clusterMeta, namespacedMeta } from "../../fixtures/objects.ts";
import { objectsIn } from "./equivalents.ts";
import { type MatchCriteria, RequestMatcher } from "./request-matcher.ts";

const labelled = { metadata: clusterMeta("default", { team: "a" }) };
const all = [HorizontalPodAutoscalersV1, HorizontalPodAutoscalers, Pods, Nodes, Deployments, Namespaces];
const table = fakeTable([[Namespaces, [labelled]]], all);

const pods = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const everything = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] };

const matches = async (criteria: Partial<MatchCriteria>, request: Partial<AdmissionRequest>): Promise<boolean> =>
  (await new RequestMatcher({ rules: [pods], ...criteria }, table).match(admissionRequest(request))) !== undefined;

const pod = { metadata: { ...namespacedMeta("web"), labels: { app: "web" } } };
const plain = { metadata: namespacedMeta("web") };
const ofTeamA = { namespaceSelector: { matchLabels: { team: "a" } } };
const ofTeamB = { namespaceSelector: { matchLabels: { team: "b" } } };
const ofWeb = { objectSelector: { matchLabels: { app: "web" } } };

const cases: readonly [string, Partial<MatchCriteria>, Partial<AdmissionRequest>, boolean][] = [
  ["the rule's own", {}, {}, true],
  ["another operation", {}, { operation: "UPDATE" }, false],
  ["a subresource is not its resource", {}, { subresource: "status" }, false],
  ["pods/* means pods too", { rules: [{ ...pods, resources: ["pods/*"] }] }, {}, true],
  ["pods/* means its subresources", { rules: [{ ...pods, resources: ["pods/*"] }] }, { subresource: "exec" }, true],
  ["pods/exec", { rules: [{ ...pods, resources: ["pods/exec"] }] }, { subresource: "exec" }, true],
  [
    "pods/exec is not pods/attach",
    { rules: [{ ...pods, resources: ["pods/exec"] }] },
    { subresource: "attach" },
    false,
  ],
  [
    "*/scale",
    { rules: [{ ...everything, resources: ["*/scale"] }] },
    { resource: Deployments, subresource: "scale" },
    true,
  ],
  ["* means no subresources", { rules: [{ ...everything, resources: ["*"] }] }, { subresource: "status" }, false],
  ["*/* means all", { rules: [everything] }, { subresource: "status" }, true],
  ["another group", { rules: [{ ...pods, apiGroups: ["apps"] }] }, {}, false],
  ["another version", { rules: [{ ...pods, apiVersions: ["v2"] }] }, {}, false],
  ["no rules", { rules: [] }, {}, false],
  ["rules left out", { rules: undefined }, {}, true],
  ["excluded", { rules: [everything], excluded: [pods] }, {}, false],
  ["not excluded", { rules: [everything], excluded: [pods] }, { operation: "DELETE" }, true],
  ["in namespaces", { rules: [{ ...everything, scope: "Namespaced" }] }, {}, true],
  ["not in namespaces", { rules: [{ ...everything, scope: "Namespaced" }] }, { resource: Nodes }, false],
  [
    "namespaces are not in namespaces",
    { rules: [{ ...everything, scope: "Namespaced" }] },
    { resource: Namespaces, name: "default" },
    false,
  ],
  ["cluster-wide", { rules: [{ ...everything, scope: "Cluster" }] }, { resource: Nodes }, true],
  ["by name", { rules: [{ ...pods, resourceNames: ["web"] }] }, { name: "web" }, true],
  ["by another name", { rules: [{ ...pods, resourceNames: ["web"] }] }, { name: "db" }, false],
  ["the namespace's labels", ofTeamA, {}, true],
  ["other labels", ofTeamB, {}, false],
  ["what is in no namespace has none to select", { ...ofTeamB, rules: [everything] }, { resource: Nodes }, true],
  [
    "a new namespace is as it says",
    { ...ofTeamB, rules: [everything] },
    { resource: Namespaces, name: "new", object: { metadata: clusterMeta("new", { team: "b" }) } },
    true,
  ],
  [
    "a namespace that goes is as it was",
    { ...ofTeamA, rules: [everything] },
    { resource: Namespaces, name: "default", operation: "DELETE" },
    true,
  ],
  ["the object's labels", ofWeb, { object: pod }, true],
  ["an object without", ofWeb, { object: plain }, false],
  ["the old object's labels", ofWeb, { object: plain, oldObject: pod }, true],
  ["a deletion has the old object", { ...ofWeb, rules: [everything] }, { operation: "DELETE", oldObject: pod }, true],
  [
    "connections have no labels",
    { ...ofWeb, rules: [everything] },
    { operation: "CONNECT", subresource: "exec", object: pod },
    false,
  ],
  ["never webhook configurations", { rules: [everything] }, { resource: MutatingWebhookConfigurations }, false],
  ["never policies", { rules: [everything] }, { resource: ValidatingAdmissionPolicyBindings }, false],
];

test("requests are matched by rules and selectors", async () => {
  for (const [name, criteria, request, expected] of cases) {
    assert.equal(await matches(criteria, request), expected, name);
  }
});

test("a namespace that is not there is told of, where a rule means the request", async () => {
  const elsewhere = { namespace: "gone" };
  const error: unknown = await matches(ofTeamA, elsewhere).catch((reason: unknown) => reason);
  assert(error instanceof StatusError);
  assert.equal(`${error.code} ${error.message}`, '404 namespaces "gone" not found');
  assert.equal(await matches(ofTeamA, { ...elsewhere, operation: "DELETE" }), false);
});

test("other versions of the same objects are meant, unless only exact ones are", async () => {
  const rules = [
    { operations: ["*"], apiGroups: ["autoscaling"], apiVersions: ["v2"], resources: ["horizontalpodautoscalers"] },
  ];
  const old = {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v1",
    metadata: namespacedMeta("web"),
    spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 60 },
  };
  const request = admissionRequest({ resource: HorizontalPodAutoscalersV1, object: old });
  assert.equal(await new RequestMatcher({ rules, matchPolicy: "Exact" }, table).match(request), undefined);
  const match = await new RequestMatcher({ rules }, table).match(request);
  assert.equal(match?.resource, HorizontalPodAutoscalers);
  assert.equal(match?.kind.version, "v2");
  const { object } = await objectsIn(request, HorizontalPodAutoscalers);
  assert.equal(object?.apiVersion, "autoscaling/v2");
  assert.deepEqual(Reflect.get(object ?? {}, "spec"), {
    maxReplicas: 3,
    metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } } }],
  });
});
