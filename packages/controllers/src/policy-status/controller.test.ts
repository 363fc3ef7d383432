import assert from "node:assert/strict";
import { test } from "node:test";
import { ValidatingAdmissionPolicies } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

test("a policy's status says what type checking found, and again when the policy changes", async () => {
  await using cluster = await TestCluster.start({ seed: 1 });
  const { client, signal } = cluster;
  const rule = { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["*"], resources: ["deployments"] };
  const spec = (expression: string) => ({
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression }],
  });
  await client.create(
    ValidatingAdmissionPolicies,
    { metadata: { name: "p" }, spec: spec("object.spec.replicas > '1'") },
    { signal },
  );
  const observed = (generation: number) =>
    cluster.eventually(async () => {
      const policy = await client.get(ValidatingAdmissionPolicies, { name: "p" }, { signal });
      assert.equal(policy.status.observedGeneration, generation);
      return policy;
    });
  const checked = await observed(1);
  const [warning] = checked.status.typeChecking?.expressionWarnings ?? [];
  assert.equal(warning?.fieldRef, "spec.validations[0].expression");
  assert.match(warning?.warning ?? "", /found no matching overload for '_>_' applied to '\(int, string\)'/);
  await client.update(
    ValidatingAdmissionPolicies,
    { ...checked, spec: { ...checked.spec, ...spec("object.spec.replicas > 1") } },
    { signal },
  );
  const mended = await observed(2);
  assert.deepEqual(mended.status.typeChecking, {});
});
