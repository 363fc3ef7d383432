/** A cluster with the simulated runtime, started by the command, answers what it must refuse as Kubernetes does. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Workbench } from "../story/workbench.ts";
import { ApiCaller } from "./api-caller.ts";
import { bodies, configMap, configMaps, deployments, objects, patches, places, pods, reads } from "./requests.ts";

let bench: Workbench;
let admin: ApiCaller;

before(async () => {
  bench = await Workbench.create("bad-requests");
  const up = await bench.skiff("up", "--runtime", "simulated");
  assert.equal(up.code, 0, up.stderr);
  admin = await ApiCaller.admin(bench);
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  for (const [path, body] of [
    [configMaps, configMap("base", { data: { a: "1" } })],
    [
      deployments,
      { metadata: { name: "dep" }, spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template } },
    ],
    [pods, { metadata: { name: "pod" }, spec: template.spec }],
  ] as const) {
    const made = await admin.call({ path, body });
    assert.equal(made.code, 201, made.message);
  }
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

for (const [title, refusals] of Object.entries({ bodies, objects, patches, reads, places })) {
  describe(`refused ${title}`, () => {
    for (const [what, call, code, reason, message] of refusals) {
      test(what, async () => {
        const answer = await admin.call(call);
        const begun = answer.message.slice(0, message.length);
        assert.deepEqual({ code: answer.code, reason: answer.reason, message: begun }, { code, reason, message });
        if (answer.json === undefined) return;
        assert.equal(answer.json.kind, "Status");
        assert.equal(answer.json.code, code);
      });
    }
  });
}

test("unknown fields are warned of, or passed over", async () => {
  const body = configMap("x", { foo: 1 });
  const warned = await admin.call({ path: `${configMaps}?dryRun=All`, body });
  assert.equal(warned.code, 201);
  assert.equal(warned.headers.warning, '299 - "unknown field \\"foo\\""');
  const ignored = await admin.call({ path: `${configMaps}?dryRun=All&fieldValidation=Ignore`, body });
  assert.equal(ignored.code, 201);
  assert.equal(ignored.headers.warning, undefined);
});

test("names that every JavaScript object has are names like others", async () => {
  const data = '{"constructor":"1","toString":"2","hasOwnProperty":"3","__proto__":"4"}';
  const body = `{"metadata":{"name":"prototype","labels":{"constructor":"x"}},"data":${data}}`;
  const made = await admin.call({ path: configMaps, body });
  assert.equal(made.code, 201, made.message);
  const read = await admin.call({ path: `${configMaps}/prototype` });
  assert.ok(read.text.includes(`"data":${data}`), read.text);
  const selected = await admin.call({ path: `${configMaps}?labelSelector=constructor` });
  assert.equal(selected.json.items.length, 1);
  const none = await admin.call({ path: `${configMaps}?labelSelector=toString` });
  assert.equal(none.json.items.length, 0);
});

test("a selector of 2,000 values is none too many", async () => {
  const values = Array.from({ length: 2_000 }, (_, index) => `v${index}`);
  const selector = encodeURIComponent(`a in (${values})`);
  assert.equal((await admin.call({ path: `${configMaps}?labelSelector=${selector}` })).code, 200);
});

test("a watch from a revision to come waits; one that may not last ends", async () => {
  const watch = (query: string) => admin.call({ path: `${configMaps}?watch=1&${query}` });
  const future = await watch("resourceVersion=99999999&timeoutSeconds=1");
  assert.deepEqual([future.code, future.text], [200, ""]);
  assert.equal((await watch("timeoutSeconds=-1")).code, 200);
});

test("who has no certificate, or one of others, is somebody else", async () => {
  const stranger = admin.as(undefined, undefined);
  const refused = await stranger.call({ path: configMaps });
  assert.equal(refused.code, 403);
  assert.equal(
    refused.message,
    'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"',
  );
  assert.equal((await stranger.call({ path: "/readyz" })).code, 200);
  const impostor = await stranger.call({ path: configMaps, headers: { authorization: "Bearer nonsense" } });
  assert.deepEqual([impostor.code, impostor.reason, impostor.message], [401, "Unauthorized", "Unauthorized"]);
});

test("a node speaks for itself only", async () => {
  const paths = `${bench.folder}/home/bad-requests/pki`;
  const { readFile } = await import("node:fs/promises");
  const node = admin.as(await readFile(`${paths}/node.crt`, "utf8"), await readFile(`${paths}/node.key`, "utf8"));
  const lease = (name: string) => ({
    path: "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
    body: { metadata: { name }, spec: { holderIdentity: name } },
  });
  const statusOf = (name: string) => ({
    method: "PATCH",
    path: `/api/v1/nodes/${name}/status`,
    headers: { "content-type": "application/merge-patch+json" },
    body: { status: { nodeInfo: { kernelVersion: "x" } } },
  });
  assert.equal((await admin.call({ path: "/api/v1/nodes", body: { metadata: { name: "other" } } })).code, 201);
  for (const call of [
    lease("other"),
    statusOf("other"),
    { path: "/api/v1/nodes", body: { metadata: { name: "third" } } },
  ]) {
    const answer = await node.call(call);
    assert.deepEqual([answer.code, answer.reason], [403, "Forbidden"], answer.message);
  }
  const secret = await node.call({ path: "/api/v1/namespaces/kube-system/secrets" });
  assert.equal(secret.code, 403);
});

test("the server has lived through all of it", async () => {
  const { stdout } = await bench.skiff("status", "-o", "json");
  const status = JSON.parse(stdout);
  assert.equal(status.state, "running");
  assert.deepEqual(
    status.processes.map((one: { name: string; restarts: number }) => [one.name, one.restarts]),
    [
      ["supervisor", 0],
      ["server", 0],
      ["agent", 0],
    ],
  );
  const { stdout: log } = await bench.skiff("logs", "server");
  assert.doesNotMatch(log, /unexpectedly/);
});
