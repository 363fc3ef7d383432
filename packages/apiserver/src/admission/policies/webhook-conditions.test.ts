import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { testSetup } from "../../fixtures/test-client.ts";
import { webhookServer } from "../../fixtures/webhook-server.ts";

const group = "/apis/admissionregistration.k8s.io/v1";
const configMaps = "/api/v1/namespaces/default/configmaps";

test("a webhook is called only where its conditions hold", async () => {
  await using server = await webhookServer(({ body }) => ({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    response: { uid: isJsonObject(body.request) ? (body.request.uid ?? "") : "", allowed: false },
  }));
  await using api = await testSetup({ services: server.services });
  const configuration = (name: string, conditions: JsonObject[], more: JsonObject = {}) => ({
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.com`,
        clientConfig: { service: { namespace: "default", name: "hook" }, caBundle: server.caBundle },
        rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        matchConditions: conditions,
        ...more,
      },
    ],
  });
  const post = (path: string, body: JsonObject) => api.call(path, { method: "POST", body });
  const hooks = `${group}/validatingwebhookconfigurations`;

  const bad = await post(hooks, configuration("bad", [{ name: "bad", expression: "nothing" }]));
  assert.equal(bad.status, 422);
  assert.match(
    String(bad.json.message),
    /webhooks\[0\]\.matchConditions\[0\]\.expression: Invalid value: "nothing": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nothing' \(in container ''\)/,
  );

  const conditions = [
    { name: "not-kube-system", expression: "request.namespace != 'kube-system'" },
    { name: "named", expression: "object.metadata.name.startsWith('checked-')" },
    { name: "no-admin", expression: "!('admins' in request.userInfo.groups)" },
  ];
  assert.equal((await post(hooks, configuration("some", conditions))).status, 201);
  assert.equal((await post(configMaps, { metadata: { name: "free" } })).status, 201);
  assert.equal(server.calls.length, 0);
  const refused = await post(configMaps, { metadata: { name: "checked-1" } });
  assert.equal(server.calls.length, 1);
  assert.match(String(refused.json.message), /admission webhook "some\.example\.com" denied the request/);
  await api.call(`${hooks}/some`, { method: "DELETE" });

  const failing = [{ name: "failing", expression: "object.data.missing == 'x'" }];
  assert.equal((await post(hooks, configuration("failing", failing))).status, 201);
  const failed = await post(configMaps, { metadata: { name: "m" }, data: { a: "1" } });
  assert.equal(failed.status, 403);
  assert.match(
    String(failed.json.message),
    /^configmaps "m" is forbidden: expression 'object\.data\.missing == 'x'' resulted in error: no such key: missing$/,
  );
  await api.call(`${hooks}/failing`, { method: "DELETE" });
  assert.equal((await post(hooks, configuration("open", failing, { failurePolicy: "Ignore" }))).status, 201);
  assert.equal((await post(configMaps, { metadata: { name: "m" }, data: { a: "1" } })).status, 201);
  assert.equal(server.calls.length, 1);
});
