import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError, servedResources } from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import { fakeExchange } from "../fixtures/fake-exchange.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { alice } from "../fixtures/objects.ts";
import { openApiRoutes } from "../openapi/openapi-routes.ts";
import { findRoute } from "../route-paths.ts";
import { Catalog } from "./catalog.ts";
import { discoveryRoutes, wantedForm } from "./discovery-routes.ts";
import { compareVersions } from "./group-order.ts";

const catalog = new Catalog(fakeTable([], servedResources()));
const routes = [...discoveryRoutes(catalog, "10.0.0.1:6443"), ...openApiRoutes(catalog, "v1.36.0")];

async function ask(url: string, headers: Record<string, string> = {}) {
  const { exchange, answered } = fakeExchange({ url, headers });
  const route = findRoute(routes, exchange.path);
  assert(route !== undefined, `no route for ${url}`);
  await route.handle(exchange, { kind: "path", verb: "get", path: exchange.path }, alice);
  return answered;
}

async function document(url: string, headers: Record<string, string> = {}) {
  const json = (await ask(url, headers)).json();
  assert(isJsonObject(json));
  return json;
}

const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);

test("the plain documents", async () => {
  assert.deepEqual(await document("/api"), {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "10.0.0.1:6443" }],
  });
  const names = list((await document("/apis/")).groups).map(({ name }) => name);
  assert.deepEqual(names.slice(0, 6), [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
  ]);
  assert.deepEqual(await document("/apis/autoscaling"), {
    kind: "APIGroup",
    apiVersion: "v1",
    name: "autoscaling",
    versions: [
      { groupVersion: "autoscaling/v2", version: "v2" },
      { groupVersion: "autoscaling/v1", version: "v1" },
      { groupVersion: "autoscaling/v2beta2", version: "v2beta2" },
      { groupVersion: "autoscaling/v2beta1", version: "v2beta1" },
    ],
    preferredVersion: { groupVersion: "autoscaling/v2", version: "v2" },
  });
  const core = list((await document("/api/v1/")).resources);
  assert.deepEqual(
    core.find(({ name }) => name === "pods"),
    {
      name: "pods",
      singularName: "pod",
      namespaced: true,
      kind: "Pod",
      verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      shortNames: ["po"],
      categories: ["all"],
      storageVersionHash: "xPOwRZ+Yhw8=",
    },
  );
  assert.deepEqual(
    core.find(({ name }) => name === "pods/eviction"),
    {
      name: "pods/eviction",
      singularName: "",
      namespaced: true,
      group: "policy",
      version: "v1",
      kind: "Eviction",
      verbs: ["create"],
    },
  );
  assert.deepEqual(core.find(({ name }) => name === "pods/exec")?.verbs, ["create", "get"]);
});

test("the aggregated document, by what the client takes", async () => {
  const v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const v2beta1 = v2.replace("v=v2", "v=v2beta1");
  const forms: readonly (readonly [string | undefined, string])[] = [
    [undefined, "plain"],
    ["application/json", "plain"],
    [`${v2},${v2beta1},application/json`, "v2"],
    [`${v2beta1},application/json`, "v2beta1"],
    [`${v2};q=0.5,application/json`, "plain"],
    [`application/json;q=0.1,${v2beta1};q=0.9`, "v2beta1"],
    ["*/*", "plain"],
  ];
  for (const [accept, form] of forms) assert.equal(wantedForm(accept), form, accept);
  const answered = await ask("/apis", { accept: v2 });
  assert.equal(answered.contentType, v2);
  const again = await ask("/apis", { accept: v2, "if-none-match": answered.headers.etag ?? "" });
  assert.deepEqual([again.status, again.body], [304, ""]);
  const apps = list((await document("/apis", { accept: v2 })).items).find(
    ({ metadata }) => isJsonObject(metadata) && metadata.name === "apps",
  );
  const [version] = list(apps?.versions);
  const deployments = list(version?.resources).find(({ resource }) => resource === "deployments");
  assert.deepEqual(deployments?.responseKind, { group: "apps", version: "v1", kind: "Deployment" });
  assert.deepEqual(deployments?.scope, "Namespaced");
  assert.deepEqual(
    list(deployments?.subresources).map(({ subresource }) => subresource),
    ["scale", "status"],
  );
});

test("what is not there", async () => {
  for (const url of ["/api/v2", "/apis/nope", "/apis/apps/v9", "/apis/apps/v1/x/y"]) {
    await assert.rejects(ask(url), (error) => error instanceof StatusError && error.code === 404);
  }
});

test("versions, the preferred first", () => {
  const versions = ["v1alpha1", "foo10", "v2", "v1beta2", "v10", "v1", "foo1", "v1beta10"];
  assert.deepEqual(versions.sort(compareVersions), [
    "v10",
    "v2",
    "v1",
    "v1beta10",
    "v1beta2",
    "v1alpha1",
    "foo1",
    "foo10",
  ]);
});

test("OpenAPI version 3: the index names each part with its hash", async () => {
  const { paths } = await document("/openapi/v3");
  assert(isJsonObject(paths));
  const core = paths["api/v1"];
  assert(isJsonObject(core) && typeof core.serverRelativeURL === "string");
  const part = await ask(core.serverRelativeURL);
  assert.equal(part.status, 200);
  assert.match(part.headers["cache-control"] ?? "", /immutable/);
  const stale = await ask("/openapi/v3/api/v1?hash=00");
  assert.deepEqual([stale.status, stale.headers.location], [301, core.serverRelativeURL]);
});
