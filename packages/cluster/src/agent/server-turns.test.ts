import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { EndpointSlices } from "@skiff/api";
import { silentLogger } from "@skiff/base";
import { TestCluster } from "@skiff/testing";
import { ServerTurns } from "./server-turns.ts";

test("servers take turns while none answers; the node's own comes first again", async (test) => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-servers-"));
  test.after(() => rm(folder, { recursive: true }));
  await using cluster = await TestCluster.start();
  const { client, clock, signal } = cluster;
  const effects = { paths: { servers: join(folder, "servers.json") }, clock, logger: silentLogger };
  const own = "https://10.0.0.1:6443";
  const turns = await ServerTurns.read(own, effects);
  const three = () => [turns.next(), turns.next(), turns.next()].map((url) => url.slice("https://10.0.0.".length));
  assert.deepEqual(three(), ["1:6443", "1:6443", "1:6443"], "there is no other");
  using _following = turns.follow(cluster.informers.for(EndpointSlices));
  const slice = (addresses: readonly string[], name: string, service: string) => ({
    metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address] })),
    ports: [{ name: "https", port: 6443, protocol: "TCP" as const }],
  });
  await client.create(EndpointSlices, slice(["10.9.9.9"], "other", "web"), { signal });
  const made = await client.create(EndpointSlices, slice(["10.0.0.7"], "kubernetes", "kubernetes"), { signal });
  await cluster.advance(60_000);
  assert.deepEqual(three(), ["1:6443", "1:6443", "1:6443"], "one server is its own, by whatever address");
  const { endpoints } = slice(["10.0.0.3", "10.0.0.1", "10.0.0.2"], "", "");
  const grown = await client.update(EndpointSlices, { ...made, endpoints }, { signal });
  await cluster.advance(60_000);
  assert.deepEqual([...three(), turns.next().at(-6)], ["1:6443", "2:6443", "3:6443", "1"]);
  assert.equal(turns.next(), "https://10.0.0.2:6443");
  await cluster.advance(60_000);
  assert.equal(turns.next(), own);
  await cluster.eventually(async () => assert.match(await readFile(effects.paths.servers, "utf8"), /10\.0\.0\.3/));
  await client.update(EndpointSlices, { ...grown, endpoints: endpoints.slice(0, 1) }, { signal });
  await cluster.advance(60_000);
  assert.deepEqual(three(), ["1:6443", "2:6443", "3:6443"], "the others may come back");
  const later = await ServerTurns.read(own, effects);
  assert.deepEqual([later.next(), later.next()], [own, "https://10.0.0.2:6443"]);
  await writeFile(effects.paths.servers, "{");
  assert.equal((await ServerTurns.read(own, effects)).next(), own);
});
