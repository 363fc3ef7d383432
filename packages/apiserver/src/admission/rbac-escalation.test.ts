import assert from "node:assert/strict";
import { test } from "node:test";
import { type TestSetup, testSetup } from "../fixtures/test-client.ts";

const group = "rbac.authorization.k8s.io";
const base = `/apis/${group}/v1`;
const roles = `${base}/namespaces/default/roles`;
const bindings = `${base}/namespaces/default/rolebindings`;

const asAlice = { "impersonate-user": "alice", "impersonate-group": "dev" };
const role = (name: string, ...rules: object[]) => ({ metadata: { name }, rules });
const roleRef = (kind: string, name: string) => ({ apiGroup: group, kind, name });
const subjects = [{ kind: "User", apiGroup: group, name: "alice" }];
const rule = (verbs: string[], resources: string[], apiGroups = [""]) => ({ apiGroups, resources, verbs });

/** A cluster where alice may write roles and bindings of `default`, and read pods. */
async function cluster(): Promise<TestSetup & { post(path: string, body: object): Promise<string> }> {
  const setup = await testSetup();
  const make = async (path: string, body: object) =>
    assert.equal((await setup.call(path, { method: "POST", body })).status, 201);
  const all = ["get", "create", "update", "patch", "delete"];
  await make(`${base}/clusterroles`, role("pods", rule(["get", "list"], ["pods"])));
  await make(`${base}/clusterroles`, role("secrets", rule(["get"], ["secrets"])));
  await make(roles, role("writer", rule(all, ["roles", "rolebindings", "clusterroles"], [group])));
  for (const name of ["writer", "pods"]) {
    const kind = name === "writer" ? "Role" : "ClusterRole";
    await make(bindings, { metadata: { name }, roleRef: roleRef(kind, name), subjects });
  }
  const post = async (path: string, body: object) => {
    const answer = await setup.call(path, { method: "POST", body, headers: asAlice });
    return answer.status === 201 ? "created" : `${answer.status} ${answer.json.message}`;
  };
  return Object.assign(setup, { post });
}

test("roles give what their writer has", async () => {
  await using setup = await cluster();
  const { post, call } = setup;
  assert.equal(await post(roles, role("a", rule(["list", "get"], ["pods"]))), "created");
  const heading =
    'user "alice" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:';
  assert.equal(
    await post(
      roles,
      role("b", rule(["get", "delete"], ["pods", "secrets"]), rule(["get"], ["deployments"], ["apps"])),
    ),
    `403 roles.${group} "b" is forbidden: ${heading}\n${[
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}',
      '{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}',
    ].join("\n")}`,
  );
  const update = await call(`${roles}/a`, {
    method: "PUT",
    body: { ...role("a", rule(["*"], ["*"])), kind: "Role", apiVersion: `${group}/v1` },
    headers: asAlice,
  });
  assert.equal(update.status, 403);
  const escalator = role("escalator", rule(["escalate"], ["roles"], [group]));
  await call(roles, { method: "POST", body: escalator });
  await call(bindings, {
    method: "POST",
    body: { metadata: { name: "e" }, roleRef: roleRef("Role", "escalator"), subjects },
  });
  assert.equal(await post(roles, role("b", rule(["*"], ["*"]))), "created");
});

test("bindings give what their writer has or may bind", async () => {
  await using setup = await cluster();
  const { post, call } = setup;
  const binding = (name: string, to: string) => ({ metadata: { name }, roleRef: roleRef("ClusterRole", to), subjects });
  assert.equal(await post(bindings, binding("a", "pods")), "created");
  assert.match(
    await post(bindings, binding("b", "secrets")),
    /^403 rolebindings\.rbac\.authorization\.k8s\.io "b" is forbidden: user "alice" .*not currently held:\n\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["get"\]\}$/s,
  );
  assert.equal(await post(bindings, binding("c", "gone")), `404 clusterroles.${group} "gone" not found`);
  const binder = role("binder", { ...rule(["bind"], ["clusterroles"], [group]), resourceNames: ["secrets"] });
  await call(roles, { method: "POST", body: binder });
  await call(bindings, {
    method: "POST",
    body: { metadata: { name: "x" }, roleRef: roleRef("Role", "binder"), subjects },
  });
  assert.equal(await post(bindings, binding("b", "secrets")), "created");
  const moved = await call(`${bindings}/b`, {
    method: "PUT",
    body: { ...binding("b", "pods"), kind: "RoleBinding", apiVersion: `${group}/v1` },
    headers: asAlice,
  });
  assert.equal(moved.status, 422);
  assert.match(String(moved.json.message), /roleRef: Invalid value: .*: cannot change roleRef$/);
});

test("garbage collection of a role needs no rights", async () => {
  await using setup = await cluster();
  const { call } = setup;
  await call(roles, { method: "POST", body: role("big", rule(["*"], ["*"])) });
  const patch = (metadata: object) => ({
    method: "PATCH",
    body: { metadata },
    headers: { ...asAlice, "content-type": "application/merge-patch+json" },
  });
  assert.equal((await call(`${roles}/big`, patch({ finalizers: ["example.com/x"] }))).status, 200);
  assert.equal((await call(`${roles}/big`, patch({ labels: { a: "b" } }))).status, 403);
});
