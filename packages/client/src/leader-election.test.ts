import assert from "node:assert/strict";
import { test } from "node:test";
import { Leases, refusals, type Transport } from "@skiff/api";
import { aborted, silentLogger } from "@skiff/base";
import { TestCluster } from "@skiff/testing";
import type { Client } from "./client.ts";
import { createClient } from "./create-client.ts";
import { whileLeading } from "./leader-election.ts";

const lease = { namespace: "kube-system", name: "controllers" };

test("one leads at a time; the next takes over when the first gives up or falls silent", async () => {
  await using cluster = await TestCluster.start();
  const { client, clock, random } = cluster;
  const leading = new Set<string>();
  const stops = new Map<string, AbortController>();
  let away = false;
  const inner = cluster.transport({ name: "admin", groups: ["system:masters"] });
  const cut: Transport = {
    async send(request, signal) {
      if (away) throw refusals.unavailable("the network is gone");
      return inner.send(request, signal);
    },
    watch: (request, signal) => inner.watch(request, signal),
  };
  const compete = (identity: string, client: Client) => {
    const stop = new AbortController();
    stops.set(identity, stop);
    const { signal } = stop;
    return whileLeading({ client, clock, random, logger: silentLogger, lease, identity, signal }, async (signal) => {
      leading.add(identity);
      await aborted(signal);
      leading.delete(identity);
    });
  };
  const first = compete("first", createClient(cut));
  await cluster.advance(100);
  const second = compete("second", client);
  await cluster.advance(60_000);
  assert.deepEqual([...leading], ["first"]);
  away = true;
  await cluster.advance(13_000);
  assert.deepEqual([...leading], []);
  await cluster.advance(10_000);
  assert.deepEqual([...leading], ["second"]);
  const { spec } = await client.get(Leases, lease, { signal: cluster.signal });
  assert.equal(spec.holderIdentity, "second");
  assert.equal(spec.leaseTransitions, 1);
  away = false;
  stops.get("second")?.abort();
  await cluster.advance(100);
  await second;
  await cluster.advance(5_000);
  assert.deepEqual([...leading], ["first"]);
  stops.get("first")?.abort();
  await cluster.advance(100);
  await first;
});
