import assert from "node:assert/strict";
import { test } from "node:test";
import { isNotFound, Secrets, ServiceAccounts } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

test("a Secret of an account's token is filled, and goes with its account", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const namespace = "default";
  const account = { metadata: { name: "robot", namespace } };
  const made = await client.create(ServiceAccounts, account, { signal });
  const annotations = { "kubernetes.io/service-account.name": "robot" };
  const ref = { name: "robot-token", namespace };
  const secret = { metadata: { ...ref, annotations }, type: "kubernetes.io/service-account-token" };
  await client.create(Secrets, secret, { signal });
  const text = async (key: string) =>
    Buffer.from((await client.get(Secrets, ref, { signal })).data?.[key] ?? "", "base64").toString("utf8");
  await cluster.eventually(async () => assert.notEqual(await text("token"), ""));
  assert.deepEqual([await text("namespace"), await text("ca.crt")], ["default", "simulated"]);
  const claims: unknown = JSON.parse(Buffer.from((await text("token")).split(".")[1] ?? "", "base64url").toString());
  assert.deepEqual(claims, {
    iss: "kubernetes/serviceaccount",
    "kubernetes.io/serviceaccount/namespace": "default",
    "kubernetes.io/serviceaccount/secret.name": "robot-token",
    "kubernetes.io/serviceaccount/service-account.name": "robot",
    "kubernetes.io/serviceaccount/service-account.uid": made.metadata.uid,
    sub: "system:serviceaccount:default:robot",
  });
  const before = await text("token");
  await client.patch(Secrets, ref, { data: { "ca.crt": null } }, { type: "merge", signal });
  await cluster.eventually(async () => assert.equal(await text("ca.crt"), "simulated"));
  assert.equal(await text("token"), before);
  await client.delete(ServiceAccounts, { name: "robot", namespace }, { signal });
  await cluster.eventually(() =>
    client.get(Secrets, ref, { signal }).then(
      () => false,
      (error: unknown) => isNotFound(error),
    ),
  );
});
