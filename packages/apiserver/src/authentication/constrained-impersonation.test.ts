import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicyRule } from "@skiff/api";
import type { Access, AccessAuthorizer } from "../authorization/access.ts";
import { ruleAllows } from "../authorization/rules.ts";
import type { RequestInfo, UserInfo } from "../contracts.ts";
import { Impersonation } from "./impersonation.ts";

const group = "authentication.k8s.io";
const rule = (verb: string, groupName: string, resource: string, name?: string): PolicyRule => ({
  verbs: [verb],
  apiGroups: [groupName],
  resources: [resource],
  ...(name === undefined ? {} : { resourceNames: [name] }),
});

const list = (namespace: string, verb: "list" | "delete" = "list"): RequestInfo => ({
  kind: "resource",
  verb,
  group: "",
  version: "v1",
  plural: "pods",
  namespace,
});

/** Who `requestor`, having the rules in namespace `default` (and in the cluster), becomes; or why not. */
async function become(
  requestor: UserInfo,
  rules: readonly PolicyRule[],
  headers: Record<string, string>,
  request: RequestInfo,
): Promise<unknown> {
  const here = (access: Access) => access.kind === "path" || !access.namespace || access.namespace === "default";
  const authorizer: AccessAuthorizer = {
    authorize: ({ request: access }) => ({
      kind: here(access) && rules.some((one) => ruleAllows(one, access)) ? "allowed" : "noOpinion",
      reason: "",
    }),
  };
  const asked = { headers, headerValues: (name: string) => headers[name]?.split("\n") ?? [] };
  try {
    const { name, groups } = await new Impersonation(authorizer).apply(requestor, asked, request);
    return [name, ...groups];
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

const agent: UserInfo = {
  name: "system:serviceaccount:default:agent",
  groups: [],
  extra: { "authentication.kubernetes.io/node-name": ["n1"] },
};
const refused = (what: string, name: string, where = "at the cluster scope") =>
  `${what} "${name}" is forbidden: User "${agent.name}" cannot impersonate resource "${what}" in API group "" ${where}`;

test("acting as a user, for some actions only", async () => {
  const rules = [
    rule("impersonate:user-info", group, "users", "jane"),
    rule("impersonate:user-info", group, "groups", "dev"),
    rule("impersonate-on:user-info:list", "", "pods"),
  ];
  const jane = { "impersonate-user": "jane" };
  const asDev = (more: string) => ({ ...jane, "impersonate-group": more });
  assert.deepEqual(await become(agent, rules, jane, list("default")), ["jane", "system:authenticated"]);
  assert.deepEqual(await become(agent, rules, asDev("dev"), list("default")), ["jane", "dev", "system:authenticated"]);
  assert.equal(await become(agent, rules, jane, list("other")), refused("users", "jane"));
  assert.equal(await become(agent, rules, jane, list("default", "delete")), refused("users", "jane"));
  assert.equal(await become(agent, rules, asDev("ops"), list("default")), refused("users", "jane"));
  const all = [...rules, rule("impersonate:user-info", group, "groups")];
  assert.equal(await become(agent, all, asDev("system:masters"), list("default")), refused("users", "jane"));
});

test("acting as a service account or a node", async () => {
  const account = { "impersonate-user": "system:serviceaccount:default:app" };
  const node = (name: string) => ({ "impersonate-user": `system:node:${name}` });
  const accounts = [
    rule("impersonate:serviceaccount", group, "serviceaccounts", "app"),
    rule("impersonate-on:serviceaccount:list", "", "pods"),
  ];
  const groups = ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"];
  assert.deepEqual(await become(agent, accounts, account, list("default")), [account["impersonate-user"], ...groups]);
  assert.equal(
    await become(agent, accounts, { ...account, "impersonate-group": "g" }, list("default")),
    refused("serviceaccounts", "app", 'in the namespace "default"'),
  );
  const own = [
    rule("impersonate:associated-node", group, "nodes"),
    rule("impersonate-on:associated-node:list", "", "pods"),
  ];
  const asNode = (name: string) => [`system:node:${name}`, "system:nodes", "system:authenticated"];
  assert.deepEqual(await become(agent, own, node("n1"), list("default")), asNode("n1"));
  assert.equal(await become(agent, own, node("n2"), list("default")), refused("users", "system:node:n2"));
  const any = [
    rule("impersonate:arbitrary-node", group, "nodes", "n2"),
    rule("impersonate-on:arbitrary-node:list", "", "pods"),
  ];
  assert.deepEqual(await become(agent, any, node("n2"), list("default")), asNode("n2"));
  assert.equal(await become(agent, any, node("n1"), list("default")), refused("users", "system:node:n1"));
});

test("who may impersonate at all needs no more", async () => {
  const rules = [rule("impersonate", "", "users")];
  const headers = { "impersonate-user": "jane" };
  assert.deepEqual(await become(agent, rules, headers, list("other", "delete")), ["jane", "system:authenticated"]);
});
