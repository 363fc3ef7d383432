import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { test } from "node:test";
import { isJsonObject, type JsonObject } from "@skiff/base";
import type { RequestInfo } from "../contracts.ts";
import { alice } from "../fixtures/objects.ts";
import { testSetup } from "../fixtures/test-client.ts";
import { AuditPolicy } from "./policy.ts";

const policy = (rules: string): AuditPolicy => AuditPolicy.parse(`apiVersion: audit.k8s.io/v1\nkind: Policy\n${rules}`);

const pods: RequestInfo = {
  kind: "resource",
  verb: "get",
  group: "",
  version: "v1",
  plural: "pods",
  namespace: "d",
  name: "p",
};
const log: RequestInfo = { ...pods, subresource: "log" };
const nodes: RequestInfo = { ...pods, plural: "nodes", namespace: undefined };
const health: RequestInfo = { kind: "path", verb: "get", path: "/healthz/etcd" };

const cases: readonly (readonly [rule: string, RequestInfo, level: string])[] = [
  ["{level: Metadata}", health, "Metadata"],
  ["{level: Request, users: [alice]}", pods, "Request"],
  ["{level: Request, users: [bob]}", pods, "None"],
  ["{level: Request, userGroups: [system:nobody]}", pods, "None"],
  ["{level: Request, verbs: [list]}", pods, "None"],
  ['{level: Request, resources: [{group: "", resources: [pods]}]}', pods, "Request"],
  ['{level: Request, resources: [{group: "", resources: [pods]}]}', log, "None"],
  ['{level: Request, resources: [{group: "", resources: [pods/log]}]}', log, "Request"],
  ['{level: Request, resources: [{group: "", resources: ["pods/*"]}]}', log, "Request"],
  ['{level: Request, resources: [{group: "", resources: ["*/log"]}]}', log, "Request"],
  ['{level: Request, resources: [{group: "", resources: ["*"]}]}', log, "Request"],
  ['{level: Request, resources: [{group: "", resources: [pods], resourceNames: [q]}]}', pods, "None"],
  ["{level: Request, resources: [{group: apps}]}", pods, "None"],
  ["{level: Request, namespaces: [d]}", pods, "Request"],
  ['{level: Request, namespaces: [""]}', nodes, "Request"],
  ["{level: Request, namespaces: [d]}", health, "None"],
  ["{level: Request, nonResourceURLs: [/healthz*]}", health, "Request"],
  ["{level: Request, nonResourceURLs: [/healthz]}", health, "None"],
  ["{level: Request, nonResourceURLs: [/healthz*]}", pods, "None"],
];

for (const [rule, info, level] of cases) {
  const what = info.kind === "path" ? info.path : `${info.plural}/${info.subresource ?? ""}`;
  test(`${rule} for ${what}: ${level}`, () => {
    assert.equal(policy(`rules: [${rule}]`).decide(alice, info).level, level);
  });
}

test("what is no policy says why", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["kind: Pod", /no Policy of audit.k8s.io\/v1/],
    ["apiVersion: audit.k8s.io/v1\nkind: Policy", /has no rules/],
    [
      "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Loud}]",
      /rules\[0\].level: Unsupported value: "Loud"/,
    ],
    ["apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, omitStages: [Never]}]", /omitStages/],
    ["a: [", /yaml/],
  ];
  for (const [text, message] of wrong)
    assert.throws(() => AuditPolicy.parse(text), { code: "AUDIT_POLICY_INVALID", message });
});

test("requests are written down as the policy says", async () => {
  const events: JsonObject[] = [];
  const rules = [
    "omitStages: [RequestReceived]",
    "rules:",
    "- {level: None, resources: [{group: '', resources: [secrets]}]}",
    "- {level: RequestResponse, omitManagedFields: true, resources: [{group: '', resources: [configmaps]}]}",
    "- {level: Metadata}",
  ].join("\n");
  await using setup = await testSetup({
    audit: { policy: policy(rules), sink: { write: (event) => events.push(event) } },
  });
  const path = "/api/v1/namespaces/default/configmaps";
  const body = { metadata: { name: "a" }, data: { k: "v" } };
  const created = await setup.call(path, {
    method: "POST",
    body,
    headers: { "audit-id": "mine", "user-agent": "t/1" },
  });
  assert.equal(created.headers["audit-id"], "mine");
  const [event = {}] = events;
  const { requestReceivedTimestamp, stageTimestamp, responseObject, ...rest } = event;
  assert.match(String(requestReceivedTimestamp), /^\d{4}-.*\.\d{6}Z$/);
  assert.match(String(stageTimestamp), /^\d{4}-.*\.\d{6}Z$/);
  assert.ok(isJsonObject(responseObject) && isJsonObject(responseObject.metadata));
  assert.equal(responseObject.metadata.managedFields, undefined);
  const { uid, resourceVersion } = responseObject.metadata;
  const { user, ...other } = rest;
  assert.ok(isJsonObject(user) && user.username === "admin");
  assert.deepEqual(other, {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "RequestResponse",
    auditID: "mine",
    stage: "ResponseComplete",
    requestURI: path,
    verb: "create",
    sourceIPs: ["127.0.0.1"],
    userAgent: "t/1",
    objectRef: { resource: "configmaps", namespace: "default", name: "a", apiVersion: "v1", uid, resourceVersion },
    responseStatus: { metadata: {}, code: 201 },
    requestObject: body,
    annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
  });
  await setup.call("/api/v1/namespaces/default/secrets");
  assert.equal(events.length, 1, "secrets are passed over");
  const refused = await setup.call("/api/v1/nodes", { headers: { "impersonate-user": "alice" } });
  assert.match(
    String(refused.headers["audit-id"]),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const denied = events[1] ?? {};
  assert.ok(isJsonObject(denied.user) && denied.user.username === "admin");
  assert.ok(isJsonObject(denied.impersonatedUser) && denied.impersonatedUser.username === "alice");
  assert.ok(isJsonObject(denied.annotations) && denied.annotations["authorization.k8s.io/decision"] === "forbid");
  assert.ok(isJsonObject(denied.responseStatus) && denied.responseStatus.code === 403);
  assert.equal(denied.requestObject, undefined);
  const watch = request({ ...setup.place, path: "/api/v1/pods?watch=1" }).end();
  await once(watch, "response");
  assert.deepEqual([events[2]?.stage, events[2]?.verb], ["ResponseStarted", "watch"]);
  watch.on("error", () => {});
  watch.destroy();
  while (events.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(events[3]?.stage, "ResponseComplete");
  const unknown = await setup.call("/version", { known: false, headers: { authorization: "Bearer wrong" } });
  assert.equal(unknown.status, 401);
  const failed = events.splice(4, 1)[0] ?? {};
  assert.deepEqual(failed.user, {});
  assert.deepEqual(isJsonObject(failed.responseStatus) && failed.responseStatus.code, 401);
  const unlike = await setup.call(`${path}/a`, {
    method: "PATCH",
    body: "data: {k: w}",
    headers: { "content-type": "application/apply-patch+yaml" },
  });
  assert.ok(unlike.status >= 400);
  assert.equal(events[4]?.requestObject, undefined, "what is no JSON is not shown");
});
