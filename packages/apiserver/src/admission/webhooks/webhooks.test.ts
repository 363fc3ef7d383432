import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type TestSetup, testSetup } from "../../fixtures/test-client.ts";
import {
  type WebhookAnswer,
  type WebhookServer,
  type WebhookServerCall,
  webhookServer,
} from "../../fixtures/webhook-server.ts";

const at = (value: JsonValue | undefined, ...path: (string | number)[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>(
    (here, step) =>
      typeof step === "number"
        ? Array.isArray(here)
          ? here[step]
          : undefined
        : isJsonObject(here)
          ? here[step]
          : undefined,
    value,
  );

const requestOf = ({ body }: WebhookServerCall): JsonObject => (isJsonObject(body.request) ? body.request : {});

/** A review's answer. */
const answer = (call: WebhookServerCall, response: JsonObject): JsonObject => ({
  kind: "AdmissionReview",
  apiVersion: "admission.k8s.io/v1",
  response: { uid: requestOf(call).uid ?? "", allowed: true, ...response },
});

const patchOf = (...operations: JsonObject[]): JsonObject => ({
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});

interface Scene extends AsyncDisposable {
  readonly api: TestSetup;
  readonly server: WebhookServer;
  readonly calls: WebhookServerCall[];
  /** Configures one webhook, called at `/NAME`. */
  configure(sort: "mutating" | "validating", name: string, more?: JsonObject): Promise<void>;
}

async function scene(reply: (call: WebhookServerCall) => WebhookAnswer | Promise<WebhookAnswer>): Promise<Scene> {
  const server = await webhookServer(reply);
  const api = await testSetup({ services: server.services });
  return {
    api,
    server,
    calls: server.calls,
    async configure(sort, name, more = {}) {
      const rules = [{ operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps", "pods"] }];
      const service = { namespace: "default", name: "hook", path: `/${name}` };
      const clientConfig = { service, caBundle: server.caBundle };
      const usual = { admissionReviewVersions: ["v1"], sideEffects: "None", timeoutSeconds: 30 };
      const made = await api.call(`/apis/admissionregistration.k8s.io/v1/${sort}webhookconfigurations`, {
        method: "POST",
        body: {
          metadata: { name },
          webhooks: [{ name: `${name}.example.com`, clientConfig, rules, ...usual, ...more }],
        },
      });
      assert.equal(made.status, 201, made.text);
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const maps = "/api/v1/namespaces/default/configmaps";
const post = (name: string, more: JsonObject = {}) => ({ method: "POST", body: { metadata: { name }, ...more } });

test("a review says what the request is, from creation to deletion", async () => {
  await using the = await scene((call) => answer(call, {}));
  await the.configure("validating", "audit");
  await the.api.call(`${maps}?fieldManager=me`, post("a", { data: { x: "1" } }));
  await the.api.call(`${maps}/a`, { method: "PUT", body: { metadata: { name: "a" }, data: { x: "2" } } });
  await the.api.call(`${maps}/a`, { method: "DELETE", body: { gracePeriodSeconds: 0 } });
  const [made, changed, gone] = the.calls.map(requestOf);
  assert.equal(the.calls[0]?.path, "/audit?timeout=30s");
  assert.equal(the.calls[0]?.body.apiVersion, "admission.k8s.io/v1");
  const { uid, object, userInfo, ...rest } = made ?? {};
  assert.match(String(uid), /^[0-9a-f-]{36}$/);
  assert.equal(at(object, "kind"), "ConfigMap");
  assert.equal(at(userInfo, "username"), "admin");
  assert.deepEqual(at(userInfo, "groups"), ["system:masters", "system:authenticated"]);
  assert.deepEqual(rest, {
    kind: { group: "", version: "v1", kind: "ConfigMap" },
    resource: { group: "", version: "v1", resource: "configmaps" },
    requestKind: { group: "", version: "v1", kind: "ConfigMap" },
    requestResource: { group: "", version: "v1", resource: "configmaps" },
    name: "a",
    namespace: "default",
    operation: "CREATE",
    oldObject: null,
    dryRun: false,
    options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "me", fieldValidation: "Warn" },
  });
  assert.equal(changed?.operation, "UPDATE");
  assert.equal(at(changed, "object", "data", "x"), "2");
  assert.equal(at(changed, "oldObject", "data", "x"), "1");
  assert.equal(gone?.operation, "DELETE");
  assert.equal(gone.object, null);
  assert.equal(at(gone.oldObject, "data", "x"), "2");
  assert.deepEqual(gone.options, { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", gracePeriodSeconds: 0 });
});

test("webhooks change objects in the order of their names; defaults follow", async () => {
  await using the = await scene((call) => {
    const data = at(requestOf(call).object, "data", "seen") ?? "";
    const name = call.path.slice(1, 2);
    return answer(call, patchOf({ op: "add", path: "/data", value: { seen: `${data}${name}` } }));
  });
  await the.configure("mutating", "b");
  await the.configure("mutating", "a");
  const made = await the.api.call(maps, { method: "POST", body: { metadata: { generateName: "web-" }, unknown: 1 } });
  assert.deepEqual(made.json.data, { seen: "ab" });
  // The server makes names and identities afterwards.
  assert.equal(
    at(requestOf(the.calls[0] ?? { path: "", body: {}, headers: {} }).object, "metadata", "name"),
    undefined,
  );
  assert.match(String(at(made.json, "metadata", "name")), /^web-.{5}$/);
});

test("what a webhook adds gets its defaults, what is unknown is dropped", async () => {
  const container = { name: "side", image: "busybox", wrong: true };
  await using the = await scene((call) =>
    answer(call, patchOf({ op: "add", path: "/spec/containers/-", value: container })),
  );
  await the.configure("mutating", "inject");
  const spec = { containers: [{ name: "main", image: "nginx:1" }] };
  const made = await the.api.call("/api/v1/namespaces/default/pods", post("web", { spec }));
  assert.equal(made.status, 201, made.text);
  assert.equal(at(made.json, "spec", "containers", 1, "imagePullPolicy"), "Always");
  assert.equal(at(made.json, "spec", "containers", 1, "wrong"), undefined);
});

test("who asks for it is called again when another changed the object", async () => {
  await using the = await scene((call) => {
    const labels = at(requestOf(call).object, "metadata", "labels");
    const [, name = ""] = /^\/(\w+)/.exec(call.path) ?? [];
    return isJsonObject(labels) && labels[name] !== undefined
      ? answer(call, {})
      : answer(
          call,
          patchOf({
            op: "add",
            path: "/metadata/labels",
            value: { ...(isJsonObject(labels) ? labels : {}), [name]: "1" },
          }),
        );
  });
  await the.configure("mutating", "a", { reinvocationPolicy: "IfNeeded" });
  await the.configure("mutating", "b");
  await the.api.call(maps, post("a"));
  assert.deepEqual(
    the.calls.map(({ path }) => path.slice(1, 2)),
    ["a", "b", "a"],
  );
});

test("refusals come through in the webhook's name", async () => {
  const cases: readonly [JsonObject, number, string, string | undefined][] = [
    [{}, 400, 'admission webhook "no.example.com" denied the request without explanation', undefined],
    [{ message: "not so" }, 400, 'admission webhook "no.example.com" denied the request: not so', undefined],
    [{ code: 418, reason: "Teapot" }, 418, 'admission webhook "no.example.com" denied the request: Teapot', "Teapot"],
    [
      { code: 200, status: "Success", message: "x" },
      400,
      'admission webhook "no.example.com" denied the request: x',
      undefined,
    ],
  ];
  for (const sort of ["mutating", "validating"] as const) {
    let status: JsonObject = {};
    await using the = await scene((call) => answer(call, { allowed: false, status, warnings: ["careful"] }));
    await the.configure(sort, "no");
    for (const [given, code, message, reason] of cases) {
      status = given;
      const refused = await the.api.call(maps, post("a"));
      assert.equal(refused.status, code);
      assert.equal(refused.json.message, message);
      assert.equal(refused.json.status, "Failure");
      assert.equal(refused.json.reason, reason);
      assert.equal(refused.headers.warning, '299 - "careful"');
    }
  }
});

test("a webhook that fails refuses or is passed over, as its policy says", async () => {
  for (const sort of ["mutating", "validating"] as const) {
    await using the = await scene(async (call) =>
      call.path.startsWith("/slow") ? await new Promise<never>(() => {}) : { code: 500, text: "broken" },
    );
    await the.configure(sort, "open", { failurePolicy: "Ignore" });
    assert.equal((await the.api.call(maps, post("a"))).status, 201);
    await the.configure(sort, "shut");
    const refused = await the.api.call(maps, post("b"));
    assert.equal(refused.status, 500);
    assert.equal(refused.json.reason, "InternalError");
    assert.equal(
      refused.json.message,
      'Internal error occurred: failed calling webhook "shut.example.com": failed to call webhook: an error on the server ("broken") has prevented the request from succeeding',
    );
    await the.configure(sort, "slow", { timeoutSeconds: 1 });
    await the.api.call(`/apis/admissionregistration.k8s.io/v1/${sort}webhookconfigurations/shut`, { method: "DELETE" });
    assert.equal(
      (await the.api.call(maps, post("c"))).json.message,
      'Internal error occurred: failed calling webhook "slow.example.com": failed to call webhook: Post "https://hook.default.svc:443/slow?timeout=1s": context deadline exceeded',
    );
    const { text } = await the.api.call("/metrics");
    const type = sort === "mutating" ? "admit" : "validating";
    assert(
      text.includes(`apiserver_admission_webhook_fail_open_count{name="open.example.com",type="${type}"} 3\n`),
      text,
    );
    assert.match(text, /apiserver_admission_webhook_rejection_count\{error_type="calling_webhook_error",name="shut/);
  }
});

test("answers that are none are refused", async () => {
  const uid = (call: WebhookServerCall) => ({ uid: requestOf(call).uid ?? "" });
  const version = "admission.k8s.io/v1";
  const patch = patchOf({ op: "add", path: "/data", value: {} });
  const cases: readonly ["mutating" | "validating", (call: WebhookServerCall) => JsonObject, string][] = [
    ["validating", () => ({ kind: "AdmissionReview", apiVersion: version }), "webhook response was absent"],
    ["validating", () => ({ response: { uid: "x", allowed: true } }), 'expected response.uid="'],
    [
      "validating",
      (call) => ({ response: { ...uid(call), allowed: true } }),
      "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got , Kind=",
    ],
    ["validating", (call) => answer(call, patch), "validating webhook may not return response.patch"],
    [
      "mutating",
      (call) => answer(call, { patch: patch.patch ?? "" }),
      "webhook returned response.patch but not response.patchType",
    ],
    [
      "mutating",
      (call) => answer(call, { patchType: "JSONPatch" }),
      "webhook returned response.patchType but not response.patch",
    ],
    ["mutating", (call) => answer(call, { ...patch, patchType: "Merge" }), 'unsupported patch type "Merge"'],
  ];
  for (const [sort, reply, expected] of cases) {
    await using the = await scene(reply);
    await the.configure(sort, "odd");
    const refused = await the.api.call(maps, post("a"));
    assert.equal(refused.status, 500);
    assert(String(refused.json.message).includes(expected), String(refused.json.message));
  }
});

test("dry runs are for webhooks without side effects", async () => {
  await using the = await scene((call) => answer(call, {}));
  await the.configure("validating", "quiet", { sideEffects: "NoneOnDryRun" });
  assert.equal((await the.api.call(`${maps}?dryRun=All`, post("a"))).status, 201);
  assert.equal(requestOf(the.calls[0] ?? { path: "", body: {}, headers: {} }).dryRun, true);
});

test("older reviews are spoken, selectors are looked at, configurations are left alone", async () => {
  await using the = await scene((call) => ({ response: { ...answer(call, {}), allowed: true } }));
  const rules = [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] }];
  await the.configure("validating", "old", {
    admissionReviewVersions: ["v0", "v1beta1"],
    rules,
    objectSelector: { matchLabels: { app: "web" } },
  });
  await the.configure("mutating", "later", { objectSelector: { matchLabels: { app: "none" } } });
  assert.equal(the.calls.length, 0);
  await the.api.call(maps, post("a"));
  assert.equal(the.calls.length, 0);
  const made = await the.api.call(maps, { method: "POST", body: { metadata: { name: "b", labels: { app: "web" } } } });
  assert.equal(made.status, 201, made.text);
  assert.equal(the.calls[0]?.body.apiVersion, "admission.k8s.io/v1beta1");
  await the.api.call(maps, { method: "DELETE" });
  assert.equal(the.calls.length, 2);
});

test("validating webhooks are asked at the same time", async () => {
  const waiting = Promise.withResolvers<void>();
  let arrived = 0;
  await using the = await scene(async (call) => {
    if (++arrived === 2) waiting.resolve();
    await waiting.promise;
    return answer(call, {});
  });
  await the.configure("validating", "a");
  await the.configure("validating", "b");
  assert.equal((await the.api.call(maps, post("a"))).status, 201);
});

test("connections, bindings, evictions, scales and tokens are shown as what they are", async () => {
  await using the = await scene((call) => answer(call, { allowed: false, status: { message: "no" } }));
  const { api } = the;
  const spec = { containers: [{ name: "a", image: "nginx" }] };
  await api.call("/api/v1/namespaces/default/pods", post("web", { spec }));
  const template = { metadata: { labels: { app: "a" } }, spec };
  const deployment = { spec: { selector: { matchLabels: { app: "a" } }, template } };
  await api.call("/apis/apps/v1/namespaces/default/deployments", post("web", deployment));
  await the.configure("validating", "parts", {
    rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] }],
  });
  const pod = "/api/v1/namespaces/default/pods/web";
  const scale = "/apis/apps/v1/namespaces/default/deployments/web/scale";
  const core = (kind: string, more: JsonObject): JsonObject => ({ kind, apiVersion: "v1", ...more });
  const ls = { stdout: true, container: "a", command: ["ls", "-l"] };
  const metadata = { name: "web" };
  const cases: readonly [string, string, JsonObject | undefined, string, JsonObject][] = [
    [
      "POST",
      `${pod}/exec?command=ls&command=-l&stdout=true&container=a`,
      undefined,
      "CONNECT",
      core("PodExecOptions", ls),
    ],
    ["POST", `${pod}/attach?stdin=true`, undefined, "CONNECT", core("PodAttachOptions", { stdin: true })],
    ["POST", `${pod}/portforward?ports=80`, undefined, "CONNECT", core("PodPortForwardOptions", { ports: [80] })],
    ["GET", `${pod}/proxy/index.html`, undefined, "CONNECT", core("PodProxyOptions", { path: "/index.html" })],
    [
      "POST",
      `${pod}/binding`,
      { target: { name: "n" } },
      "CREATE",
      core("Binding", { metadata: {}, target: { name: "n" } }),
    ],
    ["POST", `${pod}/eviction`, { metadata }, "CREATE", { kind: "Eviction", apiVersion: "policy/v1", metadata }],
    [
      "PUT",
      scale,
      { metadata, spec: { replicas: 3 } },
      "UPDATE",
      { kind: "Scale", apiVersion: "autoscaling/v1", metadata, spec: { replicas: 3 } },
    ],
    [
      "POST",
      "/api/v1/namespaces/default/serviceaccounts/default/token",
      { spec: {} },
      "CREATE",
      { kind: "TokenRequest", apiVersion: "authentication.k8s.io/v1", metadata: {}, spec: {} },
    ],
  ];
  for (const [method, path, body, operation, object] of cases) {
    the.calls.length = 0;
    const refused = await api.call(path, body === undefined ? { method } : { method, body });
    assert.equal(refused.json.message, 'admission webhook "parts.example.com" denied the request: no', path);
    const [call, ...more] = the.calls.map(requestOf);
    assert.equal(more.length, 0);
    assert.equal(call?.operation, operation);
    assert.equal(at(call, "kind", "kind"), object.kind);
    assert.equal(
      at(call, "subResource"),
      /(exec|attach|portforward|proxy|binding|eviction|scale|token)/.exec(path)?.[0],
    );
    assert.deepEqual(call?.object, object);
  }
});

test("custom resources and their definitions are changed, pruned and defaulted like all else", async () => {
  await using the = await scene((call) =>
    answer(call, patchOf({ op: "add", path: "/spec", value: { from: "webhook", unknown: 1 } })),
  );
  const { api } = the;
  const text = { type: "string" };
  const spec = { type: "object", properties: { from: text, usual: { ...text, default: "yes" } } };
  const definition = {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: ["v1", "v2"].map((name) => ({
        name,
        served: true,
        storage: name === "v1",
        schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
      })),
    },
  };
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const made = await api.call(definitions, { method: "POST", body: definition });
  assert.equal(made.status, 201, made.text);
  await the.configure("mutating", "widgets", {
    rules: [{ operations: ["*"], apiGroups: ["example.com"], apiVersions: ["v1"], resources: ["widgets"] }],
  });
  const body = (version: string) => ({
    apiVersion: `example.com/${version}`,
    kind: "Widget",
    metadata: { name: version },
  });
  for (const version of ["v1", "v2"]) {
    const path = `/apis/example.com/${version}/namespaces/default/widgets`;
    let answered = await api.call(path, { method: "POST", body: body(version) });
    for (let tries = 0; answered.status === 404 && tries < 50; tries++) {
      await new Promise((resolve) => setImmediate(resolve));
      answered = await api.call(path, { method: "POST", body: body(version) });
    }
    assert.equal(answered.status, 201, answered.text);
    assert.deepEqual(answered.json.spec, { from: "webhook", usual: "yes" });
    assert.equal(answered.json.apiVersion, `example.com/${version}`);
    const request = requestOf(the.calls.at(-1) ?? { path: "", body: {}, headers: {} });
    assert.deepEqual(
      [at(request, "kind", "version"), at(request, "requestKind", "version"), at(request.object, "apiVersion")],
      ["v1", version, "example.com/v1"],
    );
  }
  await the.configure("validating", "definitions", {
    rules: [{ operations: ["DELETE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["customresourcedefinitions"] }],
  });
  await api.call(`${definitions}/widgets.example.com`, { method: "DELETE" });
  assert.equal(requestOf(the.calls.at(-1) ?? { path: "", body: {}, headers: {} }).name, "widgets.example.com");
});

test("no webhook moves an object to another namespace", async () => {
  await using the = await scene((call) =>
    answer(call, patchOf({ op: "replace", path: "/metadata/namespace", value: "kube-system" })),
  );
  await the.configure("mutating", "mover");
  const refused = await the.api.call(maps, post("a"));
  assert.equal(refused.status, 400);
  assert.equal(
    refused.json.message,
    "the namespace of the provided object does not match the namespace sent on the request",
  );
});
