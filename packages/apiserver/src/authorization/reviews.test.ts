import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject } from "@skiff/base";
import { testSetup } from "../fixtures/test-client.ts";
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from "./bootstrap/bootstrap-objects.ts";

const authorization = "/apis/authorization.k8s.io/v1";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const apiGroup = "rbac.authorization.k8s.io";
const pods = { verb: "list", resource: "pods", namespace: "default" };

async function scene() {
  const setup = await testSetup();
  const { call } = setup;
  const rules = [
    { verbs: ["list"], apiGroups: [""], resources: ["pods"] },
    { verbs: ["get"], apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["web"] },
  ];
  await call(`${rbac}/namespaces/default/roles`, { method: "POST", body: { metadata: { name: "lister" }, rules } });
  const basic = bootstrapClusterRoles.find(({ metadata }) => metadata.name === "system:basic-user");
  const everybody = bootstrapClusterRoleBindings.find(({ metadata }) => metadata.name === "system:basic-user");
  await call(`${rbac}/clusterroles`, { method: "POST", body: { ...basic } });
  await call(`${rbac}/clusterrolebindings`, { method: "POST", body: { ...everybody } });
  const body = {
    metadata: { name: "lister" },
    roleRef: { apiGroup, kind: "Role", name: "lister" },
    subjects: [
      { kind: "User", apiGroup, name: "alice" },
      { kind: "ServiceAccount", name: "robot", namespace: "default" },
    ],
  };
  await call(`${rbac}/namespaces/default/rolebindings`, { method: "POST", body });
  return setup;
}

test("admission decides on reviews, although they are not stored", async () => {
  await using setup = await scene();
  const { call } = setup;
  const post = (path: string, body: object) => call(path, { method: "POST", body });
  const local = (namespace: string) => `${authorization}/namespaces/${namespace}/localsubjectaccessreviews`;
  const about = (user: string, namespace = "default") => ({
    metadata: { namespace },
    spec: { user, resourceAttributes: { ...pods, namespace } },
  });
  assert.equal((await post(local("nowhere"), about("alice", "nowhere"))).status, 201);
  const admission = "/apis/admissionregistration.k8s.io/v1";
  const rule = {
    apiGroups: ["authorization.k8s.io", "authentication.k8s.io"],
    apiVersions: ["*"],
    operations: ["CREATE"],
    resources: ["*"],
  };
  const validations = [
    { expression: "!has(object.spec.user) || object.spec.user != 'mallory'" },
    { expression: "!has(object.spec.token) || request.kind.kind != 'TokenReview'" },
  ];
  const metadata = { name: "reviews" };
  const policy = { metadata, spec: { matchConstraints: { resourceRules: [rule] }, validations } };
  assert.equal((await post(`${admission}/validatingadmissionpolicies`, policy)).status, 201);
  const binding = { metadata, spec: { policyName: "reviews", validationActions: ["Deny"] } };
  assert.equal((await post(`${admission}/validatingadmissionpolicybindings`, binding)).status, 201);
  assert.equal((await post(local("default"), about("alice"))).status, 201);
  const refused = await post(local("default"), about("mallory"));
  assert.deepEqual([refused.status, refused.json.reason], [422, "Invalid"]);
  const { resourceAttributes } = about("mallory").spec;
  const other = await post(`${authorization}/subjectaccessreviews`, { spec: { user: "mallory", resourceAttributes } });
  assert.equal(other.status, 422);
  const token = await post("/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token: "none" } });
  assert.equal(token.status, 422);
  assert.match(token.text, /'reviews' with binding 'reviews' denied request/);
});

test("reviews agree with what impersonation really allows", async () => {
  await using setup = await scene();
  const { call } = setup;
  const robot = "system:serviceaccount:default:robot";
  const cases: readonly (readonly [user: string, group: string, attributes: object, path: string])[] = [
    ["alice", "", pods, "/api/v1/namespaces/default/pods"],
    ["alice", "", { ...pods, namespace: "kube-system" }, "/api/v1/namespaces/kube-system/pods"],
    ["alice", "", { ...pods, namespace: "" }, "/api/v1/pods"],
    ["alice", "", { ...pods, resource: "secrets" }, "/api/v1/namespaces/default/secrets"],
    [
      "alice",
      "",
      { verb: "get", group: "apps", resource: "deployments", name: "other", namespace: "default" },
      "/apis/apps/v1/namespaces/default/deployments/other",
    ],
    [robot, "", pods, "/api/v1/namespaces/default/pods"],
    ["bob", "", pods, "/api/v1/namespaces/default/pods"],
    ["bob", "system:masters", pods, "/api/v1/namespaces/default/pods"],
  ];
  for (const [user, group, resourceAttributes, path] of cases) {
    const headers = { "impersonate-user": user, ...(group === "" ? {} : { "impersonate-group": group }) };
    const real = (await call(path, { headers })).status !== 403;
    const groups = [...(group === "" ? [] : [group]), "system:authenticated"];
    const review = await call(`${authorization}/subjectaccessreviews`, {
      method: "POST",
      body: { spec: { user, groups, resourceAttributes } },
    });
    const self = await call(`${authorization}/selfsubjectaccessreviews`, {
      method: "POST",
      body: { spec: { resourceAttributes } },
      headers,
    });
    for (const { status, json } of [review, self]) {
      assert.equal(status, 201);
      assert.ok(isJsonObject(json.status));
      assert.equal(json.status.allowed, real, `${user} ${path}`);
    }
  }
  const rules = await call(`${authorization}/selfsubjectrulesreviews`, {
    method: "POST",
    body: { spec: { namespace: "default" } },
    headers: { "impersonate-user": "alice" },
  });
  assert.ok(isJsonObject(rules.json.status) && Array.isArray(rules.json.status.resourceRules));
  assert.deepEqual(rules.json.status.resourceRules.slice(-2), [
    { verbs: ["list"], apiGroups: [""], resources: ["pods"] },
    { verbs: ["get"], apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["web"] },
  ]);
});

test("rules that nobody can list", async () => {
  await using setup = await scene();
  const ask = async (headers: Record<string, string>) => {
    const body = { spec: { namespace: "default" } };
    const { json } = await setup.call(`${authorization}/selfsubjectrulesreviews`, { method: "POST", body, headers });
    return isJsonObject(json.status) ? [json.status.incomplete, json.status.evaluationError] : json;
  };
  assert.deepEqual(await ask({ "impersonate-user": "alice" }), [false, undefined]);
  const node = { "impersonate-user": "system:node:n1", "impersonate-group": "system:nodes" };
  assert.deepEqual(await ask(node), [true, "node authorizer does not support user rule resolution"]);
});

test("reviews that ask nothing that can be answered", async () => {
  await using setup = await scene();
  const invalid = '.authorization.k8s.io "" is invalid: ';
  const local = `${authorization}/namespaces/default/localsubjectaccessreviews`;
  const all = `${authorization}/subjectaccessreviews`;
  const cases: readonly (readonly [path: string, body: object, status: number, message: string | RegExp])[] = [
    [
      all,
      { spec: { resourceAttributes: pods } },
      422,
      `${invalid}spec.user: Invalid value: "": at least one of user or group must be specified`,
    ],
    [
      all,
      { spec: { user: "a" } },
      422,
      /exactly one of nonResourceAttributes or resourceAttributes must be specified$/,
    ],
    [
      all,
      { spec: { user: "a", resourceAttributes: pods, nonResourceAttributes: { path: "/" } } },
      422,
      /^.*spec\.nonResourceAttributes: .*: cannot be specified in combination with resourceAttributes$/,
    ],
    [
      all,
      { metadata: { name: "x" }, spec: { user: "a", resourceAttributes: pods } },
      422,
      /metadata: .*: must be empty$/,
    ],
    [
      all,
      { spec: { user: "a", resourceAttributes: { ...pods, fieldSelector: {} } } },
      422,
      /spec\.resourceAttributes\.fieldSelector\.requirements: Required value/,
    ],
    [
      local,
      { spec: { user: "a", resourceAttributes: { ...pods, namespace: "other" } } },
      422,
      `${invalid}spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace`,
    ],
    [
      local,
      { spec: { user: "a", nonResourceAttributes: { path: "/", verb: "get" } } },
      422,
      /spec\.nonResourceAttributes: .*: disallowed on this kind of request$/,
    ],
    [`${authorization}/selfsubjectrulesreviews`, { spec: {} }, 400, "no namespace on request"],
    [`${authorization}/namespaces/default/subjectaccessreviews`, {}, 404, /could not find/],
    [all.replace("/v1/", "/v1beta1/"), {}, 404, /could not find/],
  ];
  for (const [path, body, status, message] of cases) {
    const answer = await setup.call(path, { method: "POST", body });
    assert.equal(answer.status, status, `${path} ${answer.text}`);
    if (typeof message === "string") assert.equal(answer.json.message, message);
    else assert.match(String(answer.json.message), message);
  }
  // Clients write out members that they leave empty.
  const metadata = { name: "", labels: {}, ownerReferences: [], creationTimestamp: null };
  const body = { metadata, spec: { user: "a", resourceAttributes: pods } };
  assert.equal((await setup.call(all, { method: "POST", body })).status, 201);
  assert.equal((await setup.call(all)).status, 405);
});
