import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, ownerReference, refusals, Secrets, ServiceAccounts, type Transport } from "@skiff/api";
import { createLogger, silentLogger } from "@skiff/base";
import { createClient, createInformers } from "@skiff/client";
import { TestCluster } from "@skiff/testing";
import { defineController, owning, watching } from "./define-controller.ts";
import type { Loop } from "./loop.ts";
import { againIn, done } from "./outcome.ts";
import { runControllers } from "./run-controllers.ts";

const namespace = "default";
const ours = (name: string) => ({ metadata: { name, namespace, labels: { test: "yes" } } });

/** Runs a loop against a cluster whose watches tell everything late. */
async function withLoop(
  loop: Loop,
  act: (cluster: TestCluster, logged: readonly string[]) => Promise<void>,
  options: { readonly lateMs?: number; readonly through?: (inner: Transport) => Transport } = {},
): Promise<void> {
  await using cluster = await TestCluster.start();
  const { clock, random } = cluster;
  const { through = (transport: Transport) => transport } = options;
  const inner = through(cluster.transport({ name: "admin", groups: ["system:masters"] }));
  const late: Transport = {
    send: (request, signal) => inner.send(request, signal),
    async *watch(request, signal) {
      for await (const event of inner.watch(request, signal)) {
        if (options.lateMs !== undefined) await clock.sleep(options.lateMs, signal);
        yield event;
      }
    },
  };
  const client = createClient(late);
  const logged: string[] = [];
  const logger = createLogger({ clock, level: "warn", write: (line) => void logged.push(line) });
  await using informers = createInformers({ client, clock, random, logger: silentLogger });
  await using _running = runControllers([loop], { client, informers, clock, random, logger });
  await act(cluster, logged);
}

test("a loop goes on as soon as a bookmark shows what it wrote, though its cache leaves that out", async () => {
  await using cluster = await TestCluster.start();
  const { clock, random, client: admin, signal: never } = cluster;
  const inner = cluster.transport({ name: "admin", groups: ["system:masters"] });
  const leavesOut: Transport = {
    send: (request, signal) => inner.send(request, signal),
    async *watch(request, signal) {
      for await (const event of inner.watch(request, signal)) {
        if (request.plural !== "secrets" || event.type === "BOOKMARK" || event.type === "ERROR") {
          yield event;
          continue;
        }
        await clock.sleep(1000, signal);
        yield { type: "BOOKMARK", object: { metadata: { resourceVersion: event.object.metadata.resourceVersion } } };
      }
    },
  };
  const client = createClient(leavesOut);
  await using informers = createInformers({ client, clock, random, logger: silentLogger });
  let runs = 0;
  const loop = defineController({
    name: "writes",
    for: ConfigMaps,
    owns: [Secrets],
    async reconcile(map, context) {
      if (map.metadata.labels?.test !== "yes") return done;
      runs++;
      await context.client.create(Secrets, { metadata: { generateName: "s-", namespace } }, { signal: context.signal });
      return done;
    },
  });
  await using _running = runControllers([loop], { client, informers, clock, random, logger: silentLogger });
  await cluster.advance(1000);
  const map = await admin.create(ConfigMaps, ours("a"), { signal: never });
  await cluster.advance(10);
  await admin.patch(ConfigMaps, map.metadata, { data: { change: "1" } }, { type: "merge", signal: never });
  await cluster.advance(10);
  assert.equal(runs, 1);
  await cluster.advance(2000);
  assert.equal(runs, 2);
});

test("a loop sees its own writes before it acts again, however late its caches are", async () => {
  let runs = 0;
  const loop = defineController({
    name: "keep-three",
    for: ConfigMaps,
    owns: [Secrets],
    async reconcile(map, { client, owned, signal }) {
      if (map.metadata.labels?.test !== "yes") return done;
      runs++;
      for (let count = owned(Secrets, map).length; count < 3; count++) {
        const metadata = { generateName: "s-", namespace, ownerReferences: [ownerReference(ConfigMaps, map)] };
        await client.create(Secrets, { metadata }, { signal });
      }
      return done;
    },
  });
  await withLoop(
    loop,
    async (cluster) => {
      const { client, signal } = cluster;
      await cluster.advance(30_000);
      const map = await client.create(ConfigMaps, ours("a"), { signal });
      for (let change = 0; change < 5; change++) {
        await client.patch(ConfigMaps, map.metadata, { data: { change: String(change) } }, { type: "merge", signal });
      }
      await cluster.advance(60_000);
      const secrets = (await client.list(Secrets, { namespace, signal })).items;
      assert.equal(secrets.length, 3);
      const [first] = secrets;
      assert.ok(first);
      const before = runs;
      await client.delete(Secrets, first.metadata, { signal });
      await cluster.advance(60_000);
      assert.equal((await client.list(Secrets, { namespace, signal })).items.length, 3);
      assert.ok(runs > before);
    },
    { lateMs: 2_000 },
  );
});

test("failures are tried again and reported, conflicts without a word; others are not held up", async () => {
  const tries = new Map<string, number>();
  const loop = defineController({
    name: "fails",
    for: ConfigMaps,
    workers: 1,
    async reconcile({ metadata: { name, labels } }) {
      if (labels?.test !== "yes") return done;
      const attempt = (tries.get(name) ?? 0) + 1;
      tries.set(name, attempt);
      if (name === "bad" && attempt < 4) throw new Error("does not work");
      if (name === "slow" && attempt < 4) throw refusals.stale({ group: "", kind: "configmaps", name });
      return done;
    },
  });
  await withLoop(loop, async (cluster, logged) => {
    const { client, signal } = cluster;
    for (const name of ["bad", "slow", "good"]) await client.create(ConfigMaps, ours(name), { signal });
    await cluster.advance(5_000);
    assert.deepEqual([...tries].sort(), [
      ["bad", 4],
      ["good", 1],
      ["slow", 4],
    ]);
    assert.ok(logged.length > 0);
    assert.ok(
      logged.every((line) => line.includes("does not work") && line.includes("default/bad")),
      logged.join("\n"),
    );
  });
});

test("one object is worked on by one at a time; `againIn` comes back; watches map to keys; `gone` hears of the end", async () => {
  let active = 0;
  let most = 0;
  let runs = 0;
  const gone: string[] = [];
  const loop = defineController({
    name: "counts",
    for: ConfigMaps,
    watches: [watching(ServiceAccounts, ({ metadata }) => [{ namespace: metadata.namespace, name: "a" }])],
    async reconcile({ metadata }, { clock, signal }) {
      if (metadata.name !== "a") return done;
      runs++;
      active++;
      most = Math.max(most, active);
      await clock.sleep(100, signal);
      active--;
      return runs === 1 ? againIn(60_000) : done;
    },
    async gone({ name }) {
      gone.push(name);
      return done;
    },
  });
  await withLoop(loop, async (cluster) => {
    const { client, signal } = cluster;
    await cluster.advance(1_000);
    await client.create(ConfigMaps, ours("a"), { signal });
    await cluster.advance(1_000);
    assert.equal(runs, 1);
    await cluster.advance(60_000);
    assert.equal(runs, 2);
    for (const name of ["x", "y", "z"]) {
      await client.create(ServiceAccounts, { metadata: { name, namespace } }, { signal });
      await cluster.advance(30);
    }
    await cluster.advance(1_000);
    assert.equal(most, 1);
    assert.equal(runs, 4);
    // The watch had the loop look for it before it was there.
    gone.length = 0;
    await client.delete(ConfigMaps, ours("a").metadata, { signal });
    await cluster.advance(1_000);
    assert.deepEqual(gone, ["a"]);
  });
});

test("what a reconciliation has written is no reason for another where the loop knows its writes; what others write is", async () => {
  const runs: string[] = [];
  const meddle: (() => Promise<unknown>)[] = [];
  const loop = defineController({
    name: "known",
    for: ConfigMaps,
    concerns: ({ metadata }) => metadata.labels?.test === "yes",
    ownWrites: "known",
    owns: [owning(Secrets, { matters: (old, secret) => old.type !== secret.type || "note" in (secret.data ?? {}) })],
    async reconcile(map, { client, owned, signal }) {
      runs.push(`${map.data?.step ?? "0"} ${owned(Secrets, map).length}`);
      if (map.data?.step === "1") return done;
      const secret = { metadata: { name: "made", namespace, ownerReferences: [ownerReference(ConfigMaps, map)] } };
      if (owned(Secrets, map).length > 0) {
        await meddle.pop()?.();
        return done;
      }
      await client.create(Secrets, secret, { signal });
      await client.update(ConfigMaps, { ...map, data: { done: "yes" } }, { signal });
      return done;
    },
  });
  await withLoop(loop, async ({ client, signal, clock }) => {
    const patch = (body: object) => client.patch(ConfigMaps, { name: "m", namespace }, body, { type: "merge", signal });
    const settle = () => clock.advance(5_000);
    await client.create(ConfigMaps, ours("m"), { signal });
    await settle();
    assert.deepEqual(runs, ["0 0"]);
    const secretIs = (body: object) =>
      client.patch(Secrets, { name: "made", namespace }, body, { type: "merge", signal });
    await secretIs({ data: { other: "eA==" } });
    await settle();
    assert.deepEqual(runs, ["0 0"], "a change that does not matter");
    meddle.push(() => patch({ data: { step: "1" } }));
    await secretIs({ data: { note: "eA==" } });
    await settle();
    assert.deepEqual(runs, ["0 0", "0 1", "1 1"], "somebody else's write in the middle of the work");
  });
});

test("what was perhaps made is looked for before it is made again", async () => {
  let failures = 1;
  const seen: number[] = [];
  const loop = defineController({
    name: "uncertain",
    for: ConfigMaps,
    owns: [Secrets],
    concerns: ({ metadata }) => metadata.labels?.test === "yes",
    async reconcile(map, { client, owned, signal }) {
      seen.push(owned(Secrets, map).length);
      if (owned(Secrets, map).length > 0) return done;
      const secret = {
        metadata: { generateName: "made-", namespace, ownerReferences: [ownerReference(ConfigMaps, map)] },
      };
      await client.create(Secrets, secret, { signal });
      return done;
    },
  });
  const answersLost = (inner: Transport): Transport => ({
    watch: (request, signal) => inner.watch(request, signal),
    async send(request, signal) {
      const answer = await inner.send(request, signal);
      if (request.verb === "create" && request.plural === "secrets" && failures-- > 0) {
        throw refusals.unavailable("the answer was lost");
      }
      return answer;
    },
  });
  await withLoop(
    loop,
    async ({ client, clock, signal }) => {
      await client.create(ConfigMaps, ours("m"), { signal });
      await clock.advance(120_000);
      const { items } = await client.list(Secrets, { namespace, signal });
      assert.equal(items.length, 1);
      assert.equal(seen[1], 1);
    },
    { lateMs: 20_000, through: answersLost },
  );
});
