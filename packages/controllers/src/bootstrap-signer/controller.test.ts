import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, isNotFound, Secrets } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { detachedSignature } from "./plan.ts";

test("cluster-info is signed with the tokens that there are, and tokens end", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const info = { namespace: "kube-public", name: "cluster-info" };
  await client.create(ConfigMaps, { metadata: info, data: { kubeconfig: "x: y" } }, { signal });
  const token = (id: string, change: Record<string, string> = {}) => ({
    metadata: { namespace: "kube-system", name: `bootstrap-token-${id}` },
    type: "bootstrap.kubernetes.io/token",
    stringData: {
      "token-id": id,
      "token-secret": "0123456789abcdef",
      "usage-bootstrap-signing": "true",
      ...change,
    },
  });
  const hourMs = 3_600_000;
  const expiration = new Date(cluster.clock.now() + hourMs).toISOString();
  await client.create(Secrets, token("aaaaaa"), { signal });
  await client.create(Secrets, token("bbbbbb", { expiration }), { signal });
  await client.create(Secrets, token("cccccc", { "usage-bootstrap-signing": "false" }), { signal });
  const data = async () => (await client.get(ConfigMaps, info, { signal })).data;
  const signed = (id: string) => detachedSignature("x: y", { id, secret: "0123456789abcdef" });
  await cluster.eventually(async () =>
    assert.deepEqual(await data(), {
      kubeconfig: "x: y",
      "jws-kubeconfig-aaaaaa": signed("aaaaaa"),
      "jws-kubeconfig-bbbbbb": signed("bbbbbb"),
    }),
  );
  assert.match(signed("aaaaaa"), /^eyJhbGciOiJIUzI1NiIsImtpZCI6ImFhYWFhYSJ9\.\.[A-Za-z0-9_-]{43}$/);
  await cluster.eventually(
    async () => {
      assert.deepEqual(Object.keys((await data()) ?? {}).sort(), ["jws-kubeconfig-aaaaaa", "kubeconfig"]);
      const ref = { namespace: "kube-system", name: "bootstrap-token-bbbbbb" };
      const error = await client.get(Secrets, ref, { signal }).catch((reason: unknown) => reason);
      assert.ok(isNotFound(error));
    },
    { withinMs: 2 * hourMs },
  );
});
