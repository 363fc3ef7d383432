import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterRoles } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

const rule = (verb: string) => ({ verbs: [verb], apiGroups: ["example.com"], resources: ["boats"] });
const part = (name: string, verb: string) => ({ metadata: { name, labels: { sum: "yes" } }, rules: [rule(verb)] });

test("a role is the sum of those that it selects, as they come and go", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { sum: "yes" } }] };
  await client.create(ClusterRoles, { metadata: { name: "sum" }, aggregationRule, rules: [rule("own")] }, { signal });
  const verbs = async (expected: readonly string[]) =>
    cluster.eventually(async () => {
      const { rules = [] } = await client.get(ClusterRoles, { name: "sum" }, { signal });
      assert.deepEqual(
        rules.flatMap((one) => one.verbs),
        expected,
      );
    });
  await verbs([]);
  await client.create(ClusterRoles, part("b", "list"), { signal });
  await client.create(ClusterRoles, part("a", "get"), { signal });
  await client.create(ClusterRoles, part("c", "get"), { signal });
  await verbs(["get", "list"]);
  await client.patch(ClusterRoles, { name: "b" }, { metadata: { labels: { sum: "no" } } }, { type: "merge", signal });
  await verbs(["get"]);
  await client.delete(ClusterRoles, { name: "a" }, { signal });
  await client.delete(ClusterRoles, { name: "c" }, { signal });
  await verbs([]);
});
