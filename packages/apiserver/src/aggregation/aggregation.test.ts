import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { test } from "node:test";
import type { APIService } from "@skiff/api";
import { isJsonObject, present } from "@skiff/base";
import { type AggregatedServer, aggregatedServer } from "../fixtures/aggregated-server.ts";
import { testAuthority } from "../fixtures/test-certificates.ts";
import { type TestSetup, testSetup } from "../fixtures/test-client.ts";

const path = "/apis/apiregistration.k8s.io/v1/apiservices";
const name = "v1.wardle.example.com";
const flunders = "/apis/wardle.example.com/v1/namespaces/default/flunders";

interface Cluster extends AsyncDisposable {
  readonly setup: TestSetup;
  readonly backend: AggregatedServer;
  /** Sets whether the server counts as available. */
  available(status: "True" | "False"): Promise<void>;
}

async function cluster(trust?: Partial<APIService["spec"]>): Promise<Cluster> {
  const proxy = await testAuthority();
  const backend = await aggregatedServer(proxy);
  const { cert: certificate, key } = await proxy.client("front-proxy-client", []);
  const place = { port: backend.port };
  const setup = await testSetup({
    frontProxy: { certificate, key },
    services: {
      locate: async (target) => {
        assert.deepEqual(target, { namespace: "default", name: "wardle", port: 443 });
        return { host: "127.0.0.1", ...place };
      },
    },
  });
  const available: Cluster["available"] = async (status) => {
    const body = { status: { conditions: [{ type: "Available", status }] } };
    const headers = { "content-type": "application/merge-patch+json" };
    const answer = await setup.call(`${path}/${name}/status`, { method: "PATCH", body, headers });
    assert.equal(answer.status, 200, answer.text);
  };
  const spec = {
    group: "wardle.example.com",
    version: "v1",
    groupPriorityMinimum: 2000,
    versionPriority: 200,
    service: { namespace: "default", name: "wardle" },
    ...(trust ?? { caBundle: Buffer.from(backend.ca).toString("base64") }),
  };
  const created = await setup.call(path, { method: "POST", body: { metadata: { name }, spec } });
  assert.equal(created.status, 201, created.text);
  return {
    setup,
    backend,
    available,
    async [Symbol.asyncDispose]() {
      await setup[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

test("requests of an aggregated group go to its server, with who asks and without how they showed it", async () => {
  await using it = await cluster();
  const { setup, backend } = it;
  const unavailable = await setup.call(flunders);
  assert.deepEqual([unavailable.status, unavailable.text], [503, "service unavailable\n"]);
  await it.available("True");
  const headers = {
    "x-remote-user": "forged",
    "impersonate-user": "alice",
    "impersonate-group": "devs, ops",
    "impersonate-uid": "42",
    "impersonate-extra-scopes": "view",
  };
  const got = await setup.call(`${flunders}/f?pretty=1`, { headers });
  assert.equal(got.status, 403, "alice may not");
  const created = await setup.call(flunders, { method: "POST", body: { spec: 1 } });
  assert.deepEqual([created.status, created.json.method, created.json.sent], [201, "POST", '{"spec":1}']);
  assert.deepEqual(backend.asked.at(-1), {
    user: "admin",
    groups: ["system:masters", "system:authenticated"],
    uid: undefined,
    scopes: [],
    authorization: undefined,
  });
  const deleted = await setup.call(`${flunders}/f`, { method: "DELETE", headers: { "x-remote-user": "forged" } });
  assert.deepEqual([deleted.status, deleted.json.method, backend.asked.at(-1)?.user], [200, "DELETE", "admin"]);
  await it.available("False");
  assert.equal((await setup.call("/apis/wardle.example.com/v1")).status, 503);
});

test("the aggregated server asks back whether its user may", async () => {
  await using it = await cluster();
  const { setup, backend } = it;
  await it.available("True");
  backend.authorizeWith(setup);
  assert.equal((await setup.call(`${flunders}/f`)).status, 200);
});

test("impersonated users keep their groups, uid and extras on the way", async () => {
  await using it = await cluster();
  const { setup, backend } = it;
  await it.available("True");
  const headers = {
    "impersonate-user": "alice",
    "impersonate-group": "system:masters",
    "impersonate-uid": "42",
    "impersonate-extra-scopes": "view",
  };
  assert.equal((await setup.call(`${flunders}/f`, { headers })).status, 200);
  assert.deepEqual(backend.asked.at(-1), {
    user: "alice",
    groups: ["system:masters", "system:authenticated"],
    uid: "42",
    scopes: ["view"],
    authorization: undefined,
  });
});

test("a watch comes through as it happens, and so does a connection of another protocol", async () => {
  await using it = await cluster();
  const { setup } = it;
  await it.available("True");
  const watch = request({ ...setup.place, path: `${flunders}?watch=1` }).end();
  const [response] = await once(watch, "response");
  const [line] = await once(response, "data");
  assert.match(String(line), /"type":"ADDED"/);
  watch.destroy();
  const headers = { connection: "Upgrade", upgrade: "echo" };
  const upgrade = request({ ...setup.place, agent: false, ...setup.admin, path: `${flunders}/f/exec`, headers }).end();
  const [, socket] = await once(upgrade, "upgrade");
  socket.write("hello");
  const [echoed] = await once(socket, "data");
  assert.equal(String(echoed), "hello");
  socket.destroy();
});

test("a server that is not the one expected, or not there, is told of", async () => {
  await using wrong = await cluster({ caBundle: Buffer.from((await testAuthority()).ca).toString("base64") });
  await wrong.available("True");
  const refused = await wrong.setup.call(flunders);
  assert.equal(refused.status, 503);
  assert.match(refused.text, /^error trying to reach service: tls: failed to verify certificate: x509/);
  await using lax = await cluster({ insecureSkipTLSVerify: true });
  await lax.available("True");
  assert.equal((await lax.setup.call(`${flunders}/f`)).status, 200);
  await lax.backend[Symbol.asyncDispose]();
  const gone = await lax.setup.call(flunders);
  assert.equal(gone.status, 503);
  assert.match(
    gone.text,
    /^error trying to reach service: (dial tcp 127\.0\.0\.1:\d+: connect: connection refused|EOF)/,
  );
});

test("discovery and OpenAPI show what other servers answer", async () => {
  await using it = await cluster();
  const { setup } = it;
  await it.available("True");
  const groups = await setup.call("/apis");
  assert.match(groups.text, /"name":"wardle.example.com","versions":\[\{"groupVersion":"wardle.example.com\/v1"/);
  const group = await setup.call("/apis/wardle.example.com");
  assert.deepEqual([group.status, group.json.kind, group.json.name], [200, "APIGroup", "wardle.example.com"]);
  const list = await setup.call("/apis/wardle.example.com/v1");
  assert.deepEqual([list.json.kind, list.json.groupVersion], ["APIResourceList", "wardle.example.com/v1"]);
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const all = async () => {
    const { json } = await setup.call("/apis", { headers: { accept } });
    const items = Array.isArray(json.items) ? json.items.filter(isJsonObject) : [];
    return items.find(({ metadata }) => isJsonObject(metadata) && metadata.name === "wardle.example.com")?.versions;
  };
  const kind = { group: "wardle.example.com", version: "v1", kind: "Flunder" };
  const entry = {
    resource: "flunders",
    responseKind: kind,
    scope: "Namespaced",
    singularResource: "flunder",
    verbs: ["get", "list", "watch"],
    shortNames: ["fl"],
    subresources: [{ subresource: "status", responseKind: kind, verbs: ["get"] }],
  };
  assert.deepEqual(await all(), [{ version: "v1", resources: [entry], freshness: "Current" }]);
  const index = await setup.call("/openapi/v3");
  assert.match(index.text, /"apis\/wardle.example.com\/v1":\{"serverRelativeURL":"[^"]*hash=1"\}/);
  assert.match(index.text, /"apis\/apps\/v1"/);
  const part = await setup.call("/openapi/v3/apis/wardle.example.com/v1?hash=1");
  assert.deepEqual(part.json.info, { title: "wardle" });
  const whole = await setup.call("/openapi/v2");
  assert.ok(whole.text.includes('"/apis/wardle.example.com/v1/flunders"'));
  assert.ok(whole.text.includes('"com.example.wardle.v1.Flunder"'));
  await it.available("False");
  assert.deepEqual(await all(), [{ version: "v1", resources: [entry], freshness: "Stale" }]);
});

test("whether a server tells its discovery is found out", async () => {
  await using it = await cluster();
  const { setup } = it;
  const { json } = await setup.call(`${path}/${name}`);
  const service = present(
    setup.server.table.find({ group: "apiregistration.k8s.io", version: "v1", plural: "apiservices" }),
    "API services",
  );
  assert.equal(json.kind, "APIService");
  const { signal } = new AbortController();
  const isService = (object: object): object is APIService => "spec" in object;
  const object = await service.get({ name });
  assert.ok(isService(object));
  await setup.server.checkDiscovery(object, signal);
  const missing = { ...object, spec: { ...object.spec, version: "v9" } };
  const url = "https://wardle.default.svc:443/apis/wardle.example.com/v9";
  await assert.rejects(
    setup.server.checkDiscovery(missing, signal),
    new Error(`failing or missing response from ${url}: bad status from ${url}: 404`),
  );
});
