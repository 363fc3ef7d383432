import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isConflict, isNotFound, type Transport, type TransportRequest, type WatchEvent } from "@skiff/api";
import { isJsonObject, type JsonObject, systemClock, systemRandom } from "@skiff/base";
import { openEtcdStore } from "@skiff/store";
import { EtcdProcess, freePort } from "@skiff/store/etcd-process";
import { adminUser, testServer } from "./fixtures/test-server.ts";

const { signal } = new AbortController();
const maps = { group: "", version: "v1", plural: "configmaps", namespace: "default" } as const;

interface Two {
  readonly etcd: EtcdProcess;
  readonly folder: string;
  readonly ports: { readonly port: number; readonly peerPort: number };
  readonly one: Transport;
  readonly other: Transport;
}

/** Two API servers, each with a connection of its own to one etcd. */
async function withTwo(run: (two: Two) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-servers-"));
  try {
    const ports = { port: await freePort(), peerPort: await freePort() };
    await using stack = new AsyncDisposableStack();
    const etcd = stack.use(await EtcdProcess.start({ folder, ...ports }));
    const open = async () => {
      const options = { endpoints: [etcd.url], prefix: "", clock: systemClock, random: systemRandom };
      const store = stack.use(await openEtcdStore(options));
      return stack.use(await testServer({ store })).transport(adminUser);
    };
    const [one, other] = [await open(), await open()];
    const namespaces = { group: "", version: "v1", plural: "namespaces", verb: "create" } as const;
    await one.send({ ...namespaces, body: { metadata: { name: "default" } } }, signal);
    await run({ etcd, folder, ports, one, other });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const send = (server: Transport, request: TransportRequest): Promise<JsonObject> => server.send(request, signal);
const metadataOf = ({ metadata }: { readonly metadata?: unknown }): JsonObject =>
  isJsonObject(metadata) ? metadata : {};
const map = (name: string, data: string): JsonObject => ({ metadata: { name }, data: { data } });

it("either server shows at once what the other has written", () =>
  withTwo(async ({ one, other }) => {
    for (let turn = 0; turn < 30; turn++) {
      const [writer, reader] = turn % 2 === 0 ? [one, other] : [other, one];
      const name = `m${turn}`;
      const made = await send(writer, { ...maps, verb: "create", body: map(name, "1") });
      const read = await send(reader, { ...maps, verb: "get", name });
      assert.deepEqual(metadataOf(read), metadataOf(made));
      const patch = { ...maps, verb: "patch", name, patchType: "merge", body: { data: { data: "2" } } } as const;
      await send(reader, patch);
      const { items } = await send(writer, { ...maps, verb: "list" });
      assert.ok(Array.isArray(items));
      const found = items.find((item) => isJsonObject(item) && metadataOf(item).name === name);
      assert.ok(isJsonObject(found));
      assert.deepEqual(found.data, { data: "2" });
      if (turn % 3 !== 0) continue;
      await send(writer, { ...maps, verb: "delete", name });
      await assert.rejects(send(reader, { ...maps, verb: "get", name }), isNotFound);
    }
  }));

it("loses no update of writers on both", () =>
  withTwo(async ({ one, other }) => {
    await send(one, { ...maps, verb: "create", body: map("n", "0") });
    const increment = async (server: Transport) => {
      for (;;) {
        const read = await send(server, { ...maps, verb: "get", name: "n" });
        const count = isJsonObject(read.data) ? Number(read.data.data) : Number.NaN;
        try {
          await send(server, { ...maps, verb: "update", name: "n", body: { ...read, data: { data: `${count + 1}` } } });
          return;
        } catch (error) {
          assert.ok(isConflict(error), String(error));
        }
      }
    };
    await Promise.all(
      [one, other, one, other].map(async (server) => {
        for (let round = 0; round < 10; round++) await increment(server);
      }),
    );
    const { data } = await send(other, { ...maps, verb: "get", name: "n" });
    assert.deepEqual(data, { data: "40" });
  }));

it("watches go on over a restart of etcd, without loss", () =>
  withTwo(async ({ one, other, etcd, folder, ports }) => {
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      const events: AsyncIterable<WatchEvent> = other.watch({ ...maps, verb: "list" }, stop.signal);
      for await (const { type, object } of events) seen.push(`${type} ${metadataOf(object).name}`);
    })().catch(() => {});
    await send(one, { ...maps, verb: "create", body: map("before", "1") });
    await etcd.kill();
    const failing = send(one, { ...maps, verb: "create", body: map("during", "1") }).then(
      () => "created",
      () => "refused",
    );
    await setTimeout(100);
    await using _again = await EtcdProcess.start({ folder, ...ports });
    const outcome = await failing;
    await send(one, { ...maps, verb: "create", body: map("after", "1") });
    await send(other, { ...maps, verb: "get", name: "after" });
    const expected = ["ADDED before", ...(outcome === "created" ? ["ADDED during"] : []), "ADDED after"];
    assert.deepEqual(seen, expected);
    stop.abort();
    await watching;
  }));

it("no address and no node port is handed out twice", () =>
  withTwo(async ({ one, other }) => {
    const services = { ...maps, plural: "services" };
    const spec = { type: "NodePort", ports: [{ port: 80 }] };
    const create = (server: Transport, name: string, extra = {}) =>
      send(server, { ...services, verb: "create", body: { metadata: { name }, spec: { ...spec, ...extra } } });
    const made = await Promise.all(
      Array.from({ length: 60 }, (_, index) => create(index % 2 === 0 ? one : other, `s${index}`)),
    );
    const specs = made.map(({ spec: found }) => (isJsonObject(found) ? found : {}));
    assert.equal(new Set(specs.map(({ clusterIP }) => clusterIP)).size, 60);
    assert.equal(new Set(specs.map(({ ports }) => JSON.stringify(ports))).size, 60);
    // One address asked for on both at once: one of them gets it, and the other is told so.
    const wanted = await Promise.allSettled(
      [one, other].map((server, index) => create(server, `w${index}`, { clusterIP: "10.96.0.42" })),
    );
    assert.deepEqual(wanted.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const refused = wanted.find((result) => result.status === "rejected");
    assert.match(String(refused?.reason), /provided IP is already allocated/);
    const addresses = await send(one, {
      group: "networking.k8s.io",
      version: "v1",
      plural: "ipaddresses",
      verb: "list",
    });
    assert.ok(Array.isArray(addresses.items));
    assert.equal(addresses.items.length, 61);
  }));
