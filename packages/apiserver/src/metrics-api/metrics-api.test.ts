import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject, VirtualClock } from "@skiff/base";
import { type TestSetup, testSetup } from "../fixtures/test-client.ts";
import type { UsageSource } from "./usage.ts";

const root = "/apis/metrics.k8s.io/v1beta1";
const tableType = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

const source = (clock: VirtualClock): UsageSource => ({
  async usage(nodeName) {
    if (nodeName === "silent") throw new Error("no answer");
    const atMs = clock.now();
    const container = (name: string, cores: number) => ({
      namespace: "default",
      pod: "web",
      container: name,
      atMs,
      startedMs: 0,
      cpuNanos: atMs * 1e6 * cores,
      memoryBytes: 64 * 1024 * 1024,
    });
    return {
      node: { atMs, cpuNanos: atMs * 1e6 * 0.5, memoryBytes: 2 * 1024 ** 3 },
      containers: [container("main", 0.25), container("side", 0.0000015)],
    };
  },
});

/** Two nodes, one of them silent, and a running pod on the other; measured for half a minute. */
async function cluster(): Promise<TestSetup> {
  const clock = new VirtualClock();
  const setup = await testSetup({ clock, usage: source(clock) });
  const post = async (path: string, body: object) => {
    const answer = await setup.call(path, { method: "POST", body });
    assert.equal(answer.status, 201, answer.text);
  };
  for (const name of ["node", "silent"]) await post("/api/v1/nodes", { metadata: { name, labels: { zone: name } } });
  for (const [name, nodeName] of [
    ["web", "node"],
    ["other", "silent"],
  ]) {
    const containers = [
      { name: "main", image: "i" },
      { name: "side", image: "i" },
    ];
    const tolerations = [{ operator: "Exists" }];
    await post("/api/v1/namespaces/default/pods", {
      metadata: { name, labels: { app: name } },
      spec: { nodeName, containers, tolerations },
    });
    const headers = { "content-type": "application/merge-patch+json" };
    const path = `/api/v1/namespaces/default/pods/${name}/status`;
    await setup.call(path, { method: "PATCH", headers, body: { status: { phase: "Running" } } });
  }
  await clock.advance(60_000);
  return setup;
}

const items = (list: JsonObject): JsonObject[] => (Array.isArray(list.items) ? list.items.filter(isJsonObject) : []);
const names = (list: JsonObject) => items(list).map(({ metadata }) => isJsonObject(metadata) && metadata.name);

test("what nodes and pods use is served as metrics-server serves it", async () => {
  await using setup = await cluster();
  const node = await setup.call(`${root}/nodes/node`);
  assert.equal(node.status, 200, node.text);
  const { metadata, timestamp, ...rest } = node.json;
  assert.ok(isJsonObject(metadata) && metadata.name === "node" && typeof timestamp === "string");
  const usage = { cpu: "500m", memory: "2Gi" };
  assert.deepEqual(rest, { kind: "NodeMetrics", apiVersion: "metrics.k8s.io/v1beta1", window: "15s", usage });
  const pod = await setup.call(`${root}/namespaces/default/pods/web`);
  assert.deepEqual(pod.json.containers, [
    { name: "main", usage: { cpu: "250m", memory: "64Mi" } },
    { name: "side", usage: { cpu: "1500n", memory: "64Mi" } },
  ]);
  const all = await setup.call(`${root}/pods`);
  assert.deepEqual([all.json.kind, names(all.json)], ["PodMetricsList", ["web"]]);
  assert.deepEqual(names((await setup.call(`${root}/nodes`)).json), ["node"]);
});

test("metrics are selected by labels and names, and shown as tables", async () => {
  await using setup = await cluster();
  const selected = async (query: string) => names((await setup.call(`${root}/namespaces/default/pods?${query}`)).json);
  assert.deepEqual(await selected("labelSelector=app%3Dweb"), ["web"]);
  assert.deepEqual(await selected("labelSelector=app%3Dother"), []);
  assert.deepEqual(await selected("fieldSelector=metadata.name%3Dweb"), ["web"]);
  assert.deepEqual(await selected("fieldSelector=metadata.name%21%3Dweb"), []);
  assert.equal((await setup.call(`${root}/pods?fieldSelector=spec.nodeName%3Da`)).status, 400);
  const table = await setup.call(`${root}/namespaces/default/pods`, { headers: { accept: tableType } });
  const { columnDefinitions, rows } = table.json;
  assert.ok(Array.isArray(columnDefinitions) && Array.isArray(rows));
  assert.deepEqual(
    columnDefinitions.map((column) => isJsonObject(column) && column.name),
    ["Name", "cpu", "memory", "Window"],
  );
  assert.deepEqual(
    rows.map((row) => isJsonObject(row) && row.cells),
    [["web", "250001500n", "128Mi", "15s"]],
  );
});

const refused: readonly [string, string, number, string][] = [
  ["GET", `${root}/nodes/nosuch`, 404, 'nodes "nosuch" not found'],
  ["GET", `${root}/nodes/silent`, 404, 'nodemetrics.metrics.k8s.io "silent" not found'],
  ["GET", `${root}/namespaces/default/pods/nosuch`, 404, 'pods "nosuch" not found'],
  ["GET", `${root}/namespaces/default/pods/other`, 404, 'podmetrics.metrics.k8s.io "default/other" not found'],
  ["GET", `${root}/services`, 404, "the server could not find the requested resource"],
  ["GET", `${root}/nodes?watch=true`, 405, 'watch is not supported on resources of kind "nodes.metrics.k8s.io"'],
  ["GET", `${root}/pods?watch=1`, 405, 'watch is not supported on resources of kind "pods.metrics.k8s.io"'],
  ["POST", `${root}/nodes`, 405, "the server does not allow this method on the requested resource"],
  ["DELETE", `${root}/nodes/node`, 405, "the server does not allow this method on the requested resource"],
];

test("what the metrics API does not have is refused", async () => {
  await using setup = await cluster();
  for (const [method, path, code, message] of refused) {
    const answer = await setup.call(path, { method });
    assert.deepEqual([answer.status, answer.json.message], [code, message], `${method} ${path}`);
  }
});

test("discovery tells of the metrics API, and authorization guards it", async () => {
  await using setup = await cluster();
  const list = await setup.call(root);
  assert.deepEqual(list.json.resources, [
    { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
    { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ]);
  assert.equal((await setup.call("/apis/metrics.k8s.io")).json.name, "metrics.k8s.io");
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  for (let again = 0; again < 2; again++) {
    const { json } = await setup.call("/apis", { headers: { accept } });
    const group = items(json).find(({ metadata }) => isJsonObject(metadata) && metadata.name === "metrics.k8s.io");
    assert.match(JSON.stringify(group), /"resource":"pods","responseKind":\{"group":"metrics.k8s.io"/);
    assert.match(JSON.stringify(group), /"freshness":"Current"/);
  }
  assert.equal((await setup.call(`${root}/nodes`, { known: false })).status, 403);
});

test("the published documents tell of the metrics API", async () => {
  await using setup = await cluster();
  const path = "apis/metrics.k8s.io/v1beta1";
  const { paths } = (await setup.call("/openapi/v3")).json;
  assert.ok(isJsonObject(paths) && isJsonObject(paths[path]));
  const { serverRelativeURL } = paths[path];
  const { status, text } = await setup.call(String(serverRelativeURL));
  assert.equal(status, 200);
  assert.match(text, /"io\.k8s\.metrics\.pkg\.apis\.metrics\.v1beta1\.PodMetrics":\{/);
  assert.match(text, /"\/apis\/metrics\.k8s\.io\/v1beta1\/namespaces\/\{namespace\}\/pods\/\{name\}":\{"get":/);
  const whole = await setup.call("/openapi/v2");
  assert.match(whole.text, /"io\.k8s\.metrics\.pkg\.apis\.metrics\.v1beta1\.NodeMetrics":\{/);
  assert.equal((await setup.call(`/openapi/v3/${path}x`)).status, 404);
});

test("a server that is registered for the group takes the metrics API over", async () => {
  await using setup = await cluster();
  const body = {
    metadata: { name: "v1beta1.metrics.k8s.io" },
    spec: {
      group: "metrics.k8s.io",
      version: "v1beta1",
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { namespace: "kube-system", name: "metrics-server" },
    },
  };
  const services = "/apis/apiregistration.k8s.io/v1/apiservices";
  const created = await setup.call(services, { method: "POST", body });
  assert.equal(created.status, 201, created.text);
  assert.equal((await setup.call(`${root}/nodes`)).status, 503);
  await setup.call(`${services}/v1beta1.metrics.k8s.io`, { method: "DELETE" });
  assert.equal((await setup.call(`${root}/nodes`)).status, 200);
});
