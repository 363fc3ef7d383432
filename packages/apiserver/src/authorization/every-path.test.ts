import assert from "node:assert/strict";
import { test } from "node:test";
import { testSetup } from "../fixtures/test-client.ts";

/** Everybody may ask these. */
const open = new Set(["GET /healthz", "GET /livez", "GET /readyz", "GET /version"]);

test("no path and no verb is served without a decision", async () => {
  await using setup = await testSetup();
  const { server, call } = setup;
  const paths = new Set(["/", "/nowhere", "/api", "/apis", "/healthz/ping", "/metrics", "/logs/x"]);
  for (const { path } of server.parts.paths) paths.add(path);
  const placed = (group: string, version: string, rest: string) =>
    group === "" ? `/api/${version}/${rest}` : `/apis/${group}/${version}/${rest}`;
  for (const { resource } of server.table.all()) {
    const { group, version, plural, scope } = resource;
    const collection = scope === "cluster" ? plural : `namespaces/default/${plural}`;
    paths.add(placed(group, version, plural));
    paths.add(placed(group, version, collection));
    paths.add(placed(group, version, `${collection}/x`));
    paths.add(placed(group, version, `watch/${collection}`));
    for (const { name } of resource.subresources) paths.add(placed(group, version, `${collection}/x/${name}`));
  }
  for (const virtual of server.parts.virtualResources.keys()) {
    const [plural = "", ...group] = virtual.split(".");
    paths.add(placed(group.join("."), "v1", plural));
    paths.add(placed(group.join("."), "v1", `namespaces/default/${plural}`));
  }
  assert.ok(paths.size > 400, `${paths.size}`);
  const headers = { "impersonate-user": "system:anonymous" };
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      if (open.has(`${method} ${path}`)) continue;
      const { status, json } = await call(path, { method, headers });
      assert.deepEqual([status, json.reason], [403, "Forbidden"], `${method} ${path}`);
    }
  }
});

test("what goes over a WebSocket by GET takes the right to create", async () => {
  await using setup = await testSetup();
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const apiGroup = "rbac.authorization.k8s.io";
  const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods/exec"] }];
  await setup.call(`${rbac}/clusterroles`, { method: "POST", body: { metadata: { name: "reader" }, rules } });
  const body = {
    metadata: { name: "reader" },
    roleRef: { apiGroup, kind: "ClusterRole", name: "reader" },
    subjects: [{ kind: "User", apiGroup, name: "alice" }],
  };
  await setup.call(`${rbac}/clusterrolebindings`, { method: "POST", body });
  const headers = { "impersonate-user": "alice" };
  const { json } = await setup.call("/api/v1/namespaces/default/pods/x/exec?command=id", { headers });
  assert.equal(
    json.message,
    'pods "x" is forbidden: User "alice" cannot create resource "pods/exec" in API group "" in the namespace "default"',
  );
});
