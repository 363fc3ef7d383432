import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceAccounts } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { StartProbe } from "./await-start.ts";

test("a cluster takes pods when their namespace has its account", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const { endpoint: server, ca: authority, cert: certificate, key } = await cluster.listen();
  using probe = new StartProbe({ server, authority, identity: { certificate, key } });
  assert.equal(await probe.takesPods(signal), true);
  await cluster.stopController("service-account");
  await client.delete(ServiceAccounts, { namespace: "default", name: "default" }, { signal });
  assert.equal(await probe.takesPods(signal), false);
  cluster.startController("service-account");
  await cluster.eventually(() => probe.takesPods(signal));
});
