import assert from "node:assert/strict";
import { test } from "node:test";
import type { CustomResourceDefinition, ValidatingAdmissionPolicy } from "@skiff/api";
import { expressionWarnings, kindsOf, paramsTypeOf } from "./plan.ts";

const meta = (name: string) => ({ name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" });

const policy = (
  resources: string[],
  expressions: string[],
  more: Partial<ValidatingAdmissionPolicy["spec"]> = {},
  group = "apps",
): ValidatingAdmissionPolicy => ({
  metadata: meta("p"),
  status: {},
  spec: {
    matchConstraints: { resourceRules: [{ apiGroups: [group], apiVersions: ["v1"], operations: ["*"], resources }] },
    validations: expressions.map((expression) => ({ expression })),
    ...more,
  },
});

const none = { definition: async () => undefined, definitionOfKind: async () => undefined };

async function warningsOf(
  of: ValidatingAdmissionPolicy,
  source: Parameters<typeof kindsOf>[1] = none,
): Promise<string[]> {
  const found = expressionWarnings(of, await kindsOf(of, source), await paramsTypeOf(of, source));
  return found.map(({ fieldRef, warning }) => `${fieldRef} ${warning}`);
}

test("expressions are checked against the kinds that rules name", async () => {
  const checked = policy(
    ["deployments"],
    ["object.spec.replicas > '1'", "object.spec.maxRetries < 10", "object.spec.replicas > 1"],
  );
  assert.deepEqual(await warningsOf(checked), [
    "spec.validations[0].expression apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > '1'\n | .....................^\n",
    "spec.validations[1].expression apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'maxRetries'\n | object.spec.maxRetries < 10\n | ...........^\n",
  ]);
});

test("several kinds, variables, parameters, messages", async () => {
  const checked = policy(["deployments", "daemonsets"], ["variables.count > 1", "params.data.most == 1"], {
    variables: [{ name: "count", expression: "object.spec.replicas" }],
    paramKind: { apiVersion: "v1", kind: "ConfigMap" },
    validations: [
      { expression: "variables.count > 1", messageExpression: "'has ' + variables.count" },
      { expression: "params.data.most == 1" },
    ],
  });
  const found = await warningsOf(checked);
  assert.equal(found.length, 2);
  assert.match(
    found[0] ?? "",
    /^spec\.validations\[0\]\.messageExpression apps\/v1, Kind=Deployment: .*'\(string, int\)'/s,
  );
  assert.match(found[1] ?? "", /apps\/v1, Kind=DaemonSet: .*'\(string, int\)'.*\n\napps\/v1, Kind=Deployment: /s);
});

test("wildcards name no kinds, and unknown kinds are left out", async () => {
  assert.deepEqual(await warningsOf(policy(["*"], ["object.nothing"])), []);
  assert.deepEqual(await warningsOf(policy(["widgets"], ["object.nothing"])), []);
});

test("custom resources have the types of their schemas", async () => {
  const definition: CustomResourceDefinition = {
    metadata: meta("widgets.example.com"),
    status: {},
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { kind: "Widget", plural: "widgets" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: { type: "object", properties: { size: { type: "integer" }, "a-b": { type: "string" } } },
              },
            },
          },
        },
      ],
    },
  };
  const source = { definition: async () => definition, definitionOfKind: async () => definition };
  const expressions = [
    "object.spec.size < 'a'",
    "object.spec.a__dash__b == 'x' && object.metadata.labels['a'] == 'b'",
    "object.spec.other",
  ];
  const found = await warningsOf(policy(["widgets"], expressions, {}, "example.com"), source);
  assert.equal(found.length, 2);
  assert.match(found[0] ?? "", /example\.com\/v1, Kind=Widget: ERROR: <input>:1:18: found no matching overload/);
  assert.match(found[1] ?? "", /spec\.validations\[2\].*undefined field 'other'/);
  const withParams = policy(
    ["pods"],
    ["params.spec.size == 'x'"],
    { paramKind: { apiVersion: "example.com/v1", kind: "Widget" } },
    "",
  );
  assert.match(
    (await warningsOf(withParams, source))[0] ?? "",
    /^spec\.validations\[0\]\.expression \/v1, Kind=Pod: .*\(int, string\)/,
  );
});
