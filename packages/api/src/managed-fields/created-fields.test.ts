import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@skiff/base";
import { isJsonObject } from "@skiff/base";
import { sampleDeployment, sampleNode, samplePod, sampleSecret, sampleService } from "../kinds/sample-objects.ts";
import { definitionSchema } from "../schema/definition-schema.ts";
import { compareObjects } from "./compare.ts";
import { createdFields } from "./created-fields.ts";
import { ownable } from "./unowned.ts";

const json = (object: object): JsonObject => JSON.parse(JSON.stringify(object));

const richMeta = {
  name: "a",
  namespace: "b",
  uid: "u",
  labels: { z: "1", a: "2" },
  annotations: {},
  finalizers: ["x.example/y", "a.example/b"],
  ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "1" }],
  managedFields: [],
};

const cases: readonly { readonly definition: string; readonly object: JsonObject }[] = [
  { definition: "core.v1.ConfigMap", object: { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "a" } } },
  { definition: "core.v1.ConfigMap", object: { metadata: richMeta, data: { b: "1", a: "2" }, binaryData: {} } },
  { definition: "core.v1.ConfigMap", object: { data: { a: "" }, immutable: false, metadata: { labels: null } } },
  { definition: "core.v1.Secret", object: json(sampleSecret()) },
  { definition: "core.v1.Pod", object: json(samplePod()) },
  {
    definition: "core.v1.Pod",
    object: {
      metadata: { ...richMeta, generateName: "a-" },
      spec: {
        containers: [
          { name: "b", ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }], resources: {} },
          {
            name: "a",
            env: [{ name: "X", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
            args: ["a", "a"],
          },
          { name: "a", image: "twice" },
        ],
        nodeSelector: { a: "b" },
        affinity: { nodeAffinity: {} },
        tolerations: [{ operator: "Exists" }],
        volumes: [{ name: "v", emptyDir: {} }, { image: {} }],
      },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    },
  },
  { definition: "core.v1.Service", object: json(sampleService()) },
  { definition: "core.v1.Node", object: json(sampleNode()) },
  { definition: "apps.v1.Deployment", object: json(sampleDeployment()) },
  { definition: "apps.v1.Deployment", object: { metadata: {}, spec: { template: { spec: null } }, status: {} } },
  { definition: "apps.v1.Deployment", object: { metadata: {}, spec: {}, status: {}, unheard: { of: [1] } } },
  {
    definition: "rbac.v1.ClusterRole",
    object: { metadata: richMeta, rules: [], aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] } },
  },
  {
    definition: "rbac.v1.RoleBinding",
    object: {
      metadata: {},
      roleRef: { name: "a", kind: "Role", apiGroup: "" },
      subjects: [{ name: "a", kind: "User" }],
    },
  },
  {
    definition: "discovery.v1.EndpointSlice",
    object: { metadata: {}, addressType: "IPv4", endpoints: [], ports: [{}] },
  },
];

test("what a creation makes one's own is what comparing with nothing gives", () => {
  for (const { definition, object } of cases) {
    const schema = definitionSchema(definition);
    const expected = ownable(compareObjects({}, object, schema).changed, {});
    const got = createdFields(object, schema);
    // The text, not only the value: the order is Kubernetes'.
    assert.equal(JSON.stringify(got), JSON.stringify(expected), `${definition} ${JSON.stringify(object)}`);
    assert.ok(isJsonObject(got));
  }
});
