import assert from "node:assert/strict";
import { test } from "node:test";
import { type PolicyRule, ResourceClaims } from "@skiff/api";
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from "../authorization/bootstrap/bootstrap-objects.ts";
import { type TestAnswer, type TestSetup, testSetup } from "../fixtures/test-client.ts";
import { adminUser } from "../fixtures/test-server.ts";

const claims = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const apiGroup = "rbac.authorization.k8s.io";
const [mine, other] = ["mine.example.com", "other.example.com"];
const account = "system:serviceaccount:default:driver";
const nodeName = "authentication.kubernetes.io%2fnode-name";

const onNodes = (...names: string[]) => ({
  nodeSelectorTerms: names.map((name) => ({
    matchFields: [{ key: "metadata.name", operator: "In", values: [name] }],
  })),
});
const results = [mine, other].map((driver) => ({ request: "r", driver, pool: "p", device: "d" }));
const allocation = { devices: { results }, nodeSelector: onNodes("n1") };
const report = (driver: string, status = "True") => ({
  driver,
  pool: "p",
  device: "d",
  conditions: [{ type: "Ready", status, reason: "R", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }],
});

const rule = (verbs: readonly string[], resource: string, ...resourceNames: string[]): PolicyRule => ({
  verbs: [...verbs],
  apiGroups: ["resource.k8s.io"],
  resources: [resource],
  ...(resourceNames.length === 0 ? {} : { resourceNames }),
});

interface Tried {
  readonly setup: TestSetup;
  /** Gives a user rules: everywhere, or in the namespace. */
  grant(user: string, rules: readonly PolicyRule[], where?: "everywhere" | "here"): Promise<void>;
  /** Makes the claim anew, with a status of the administrator's. */
  begin(status: object): Promise<void>;
  /** Writes a status as somebody. */
  write(user: string, status: object, how?: { readonly patch?: boolean; readonly node?: string }): Promise<TestAnswer>;
}

async function tried(): Promise<Tried & AsyncDisposable> {
  const setup = await testSetup();
  const { call } = setup;
  const transport = setup.server.transport(adminUser);
  const signal = new AbortController().signal;
  for (const [plural, objects] of [
    ["clusterroles", bootstrapClusterRoles],
    ["clusterrolebindings", bootstrapClusterRoleBindings],
  ] as const) {
    for (const object of objects) {
      const place = { group: apiGroup, version: "v1", plural, verb: "create" } as const;
      await transport.send({ ...place, body: { ...object } }, signal);
    }
  }
  let grants = 0;
  const put = async (path: string, body: object, headers: Record<string, string> = {}) =>
    await call(path, { method: "PUT", body, headers });
  return {
    setup,
    async grant(user, rules, where = "everywhere") {
      const name = `grant-${grants++}`;
      const [base, kind, roles] =
        where === "here" ? [`${rbac}/namespaces/default`, "Role", "role"] : [rbac, "ClusterRole", "clusterrole"];
      const made = await call(`${base}/${roles}s`, { method: "POST", body: { metadata: { name }, rules } });
      assert.equal(made.status, 201, made.text);
      const subjects = [{ kind: "User", apiGroup, name: user }];
      const body = { metadata: { name }, roleRef: { apiGroup, kind, name }, subjects };
      const bound = await call(`${base}/${roles}bindings`, { method: "POST", body });
      assert.equal(bound.status, 201, bound.text);
    },
    async begin(status) {
      await call(`${claims}/c`, { method: "DELETE" });
      const spec = { devices: { requests: [{ name: "r", exactly: { deviceClassName: "x" } }] } };
      const made = await call(claims, { method: "POST", body: { metadata: { name: "c" }, spec } });
      assert.equal(made.status, 201, made.text);
      const written = await put(`${claims}/c/status`, { ...made.json, status });
      assert.equal(written.status, 200, written.text);
    },
    async write(user, status, { patch = false, node } = {}) {
      const headers: Record<string, string> = {
        "impersonate-user": user,
        ...(node === undefined ? {} : { [`impersonate-extra-${nodeName}`]: node }),
      };
      const path = `${claims}/c/status`;
      if (patch) {
        const type = { "content-type": "application/merge-patch+json" };
        return await call(path, { method: "PATCH", body: { status }, headers: { ...headers, ...type } });
      }
      const { json } = await call(`${claims}/c`);
      return await put(path, { ...json, status }, headers);
    },
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}

const status = rule(["get", "patch", "update"], "resourceclaims/status");
const invalid = (text: string) => `ResourceClaim.resource.k8s.io "c" is invalid: ${text}`;
const unbound = (user: string, verb: string) =>
  `status: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${verb}" permission: ` +
  `resourceclaims.resource.k8s.io is forbidden: User "${user}" cannot ${verb} resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope`;
const unreported = (user: string, driver: string, verbs: readonly string[]) =>
  `status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(" ")}]" permission: ` +
  `resourceclaims.resource.k8s.io "${driver}" is forbidden: User "${user}" cannot ${verbs[0]} resource "resourceclaims/driver" in API group "resource.k8s.io" in the namespace "default"`;

function refused(answer: TestAnswer, text: string): void {
  assert.equal(answer.status, 422, answer.text);
  assert.equal(answer.json.reason, "Invalid");
  assert.equal(answer.json.message, invalid(text));
}
function taken(answer: TestAnswer): void {
  assert.equal(answer.status, 200, answer.text);
}

test("who allocates claims and reserves them must be allowed to bind them, in all namespaces", async () => {
  await using at = await tried();
  const reservedFor = [{ resource: "pods", name: "p", uid: "1" }];
  await at.grant("alice", [status]);
  await at.begin({});
  refused(await at.write("alice", { allocation }), unbound("alice", "update"));
  refused(await at.write("alice", { allocation }, { patch: true }), unbound("alice", "patch"));
  taken(await at.write("alice", {}));
  // A right in the namespace alone is none.
  await at.grant("alice", [rule(["*"], "resourceclaims/binding")], "here");
  refused(await at.write("alice", { allocation }), unbound("alice", "update"));
  await at.grant("alice", [rule(["update"], "resourceclaims/binding")]);
  refused(await at.write("alice", { allocation }, { patch: true }), unbound("alice", "patch"));
  taken(await at.write("alice", { allocation }));
  taken(await at.write("alice", { allocation, reservedFor }));
  await at.grant("bob", [status]);
  refused(await at.write("bob", { allocation }), unbound("bob", "update"));
  refused(await at.write("bob", {}), unbound("bob", "update"));
  taken(await at.write("bob", { allocation, reservedFor }));
});

test("who reports of devices must be allowed to for their driver", async () => {
  await using at = await tried();
  const anywhere = ["arbitrary-node:update"];
  await at.grant("alice", [status]);
  await at.begin({ allocation });
  const both = { allocation, devices: [report(other), report(mine)] };
  refused(
    await at.write("alice", both),
    `[${unreported("alice", mine, anywhere)}, ${unreported("alice", other, anywhere)}]`,
  );
  refused(
    await at.write("alice", { devices: [report(mine)] }, { patch: true }),
    unreported("alice", mine, ["arbitrary-node:patch"]),
  );
  await at.grant("alice", [rule(["arbitrary-node:update"], "resourceclaims/driver", mine)], "here");
  refused(await at.write("alice", both), unreported("alice", other, anywhere));
  taken(await at.write("alice", { allocation, devices: [report(mine)] }));
  taken(await at.write("alice", { allocation, devices: [report(mine, "False")] }));
  // What others report stays theirs: to change it, and to take it away.
  await at.begin(both);
  taken(await at.write("alice", { ...both, devices: [report(other), report(mine, "False")] }));
  refused(
    await at.write("alice", { ...both, devices: [report(other, "False")] }),
    unreported("alice", other, anywhere),
  );
  refused(await at.write("alice", { allocation, devices: [report(mine)] }), unreported("alice", other, anywhere));
  taken(await at.write("alice", { allocation, devices: [report(other)] }));
});

test("drivers on a node report of claims that are allocated to it", async () => {
  await using at = await tried();
  const both = ["associated-node:update", "arbitrary-node:update"];
  const devices = [report(mine)];
  await at.grant(account, [status, rule(["associated-node:update"], "resourceclaims/driver", mine)]);
  await at.begin({ allocation });
  taken(await at.write(account, { allocation, devices }, { node: "n1" }));
  const theirs = { allocation, devices: [...devices, report(other)] };
  refused(await at.write(account, theirs, { node: "n1" }), unreported(account, other, both));
  const later = { allocation, devices: [report(mine, "False")] };
  const elsewhere = unreported(account, mine, ["arbitrary-node:update"]);
  refused(await at.write(account, later, { node: "n2" }), elsewhere);
  refused(await at.write(account, later), elsewhere);
  // Of more than one node nobody is.
  const wide = { ...allocation, nodeSelector: onNodes("n1", "n2") };
  await at.begin({ allocation: wide });
  refused(await at.write(account, { allocation: wide, devices }, { node: "n1" }), elsewhere);
  // A user who is no service account is on no node, whatever is said of them.
  await at.grant("carol", [status, rule(["associated-node:update"], "resourceclaims/driver")]);
  await at.begin({ allocation });
  refused(
    await at.write("carol", { allocation, devices }, { node: "n1" }),
    unreported("carol", mine, ["arbitrary-node:update"]),
  );
  await at.grant("carol", [rule(["arbitrary-node:update"], "resourceclaims/driver")]);
  taken(await at.write("carol", { allocation, devices }));
});

test("scheduler and controller bind and free claims by their own roles, reports of devices included", async () => {
  await using at = await tried();
  const reservedFor = [{ resource: "pods", name: "p", uid: "1" }];
  const controller = "system:serviceaccount:kube-system:resource-claim-controller";
  for (const user of ["system:kube-scheduler", controller]) {
    for (const patch of [false, true]) {
      await at.begin({});
      taken(await at.write(user, { allocation, reservedFor }, { patch }));
      refused(
        await at.write(user, { allocation, reservedFor, devices: [report(mine)] }, { patch }),
        unreported(user, mine, [patch ? "arbitrary-node:patch" : "arbitrary-node:update"]),
      );
      await at.begin({ allocation, reservedFor, devices: [report(mine)] });
      // Reports end with their allocation: that takes no right of a driver.
      const freed = await at.write(user, patch ? { allocation: null, reservedFor: null } : {}, { patch });
      taken(freed);
      assert.deepEqual(freed.json.status, {});
    }
  }
});

test("in this process nobody is asked", async () => {
  await using at = await tried();
  await at.begin({});
  const transport = at.setup.server.transport({ name: "nobody", groups: [] });
  const { group, version, plural } = ResourceClaims;
  const place = { group, version, plural, namespace: "default", name: "c", subresource: "status" };
  const body = { status: { allocation, devices: [report(mine)] } };
  await transport.send({ ...place, verb: "patch", patchType: "merge", body }, new AbortController().signal);
});
