import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicyRule } from "@skiff/api";
import { compact, ruleText, uncovered } from "./rule-coverage.ts";

const rule = (verbs: string, groups: string, resources: string, names?: string): PolicyRule => ({
  verbs: verbs.split(" "),
  apiGroups: groups.split(" "),
  resources: resources.split(" "),
  ...(names === undefined ? {} : { resourceNames: names.split(" ") }),
});
const urls = (verbs: string, paths: string): PolicyRule => ({
  verbs: verbs.split(" "),
  nonResourceURLs: paths.split(" "),
});

test("what rules include", () => {
  const cases: readonly (readonly [owned: readonly PolicyRule[], wanted: PolicyRule, missing: readonly string[]])[] = [
    [[rule("*", "*", "*")], rule("get list", "apps", "deployments"), []],
    [[rule("*", "*", "*")], urls("get", "/metrics"), ['{NonResourceURLs:["/metrics"], Verbs:["get"]}']],
    [[urls("*", "*")], urls("get", "/metrics"), []],
    [[urls("get", "/healthz/*")], urls("get", "/healthz/etcd"), []],
    [[urls("get", "/healthz/*")], urls("get", "/healthz"), ['{NonResourceURLs:["/healthz"], Verbs:["get"]}']],
    [[rule("get", "*", "*/scale")], rule("get", "apps", "deployments/scale"), []],
    [
      [rule("get", "*", "*/scale")],
      rule("get", "apps", "deployments"),
      ['{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}'],
    ],
    [[rule("get", "apps", "deployments")], rule("get", "apps", "deployments", "web"), []],
    [
      [rule("get", "apps", "deployments", "web")],
      rule("get", "apps", "deployments"),
      ['{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}'],
    ],
    [
      [rule("get", "apps", "deployments", "web")],
      rule("get", "apps", "deployments", "web db"),
      ['{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["db"], Verbs:["get"]}'],
    ],
    // Two rules together may include what neither does alone.
    [
      [rule("get", "apps", "deployments"), rule("list", "apps", "deployments")],
      rule("get list", "apps", "deployments"),
      [],
    ],
  ];
  for (const [owned, wanted, missing] of cases) {
    assert.deepEqual(compact(uncovered(owned, [wanted])).map(ruleText), missing, JSON.stringify(wanted));
  }
});
