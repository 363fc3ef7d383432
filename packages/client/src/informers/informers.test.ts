import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, type DynamicObject, type KubeObject, refusals, type Transport, type WatchEvent } from "@skiff/api";
import { Mailbox, seededRandom, silentLogger, VirtualClock } from "@skiff/base";
import { createClient } from "../create-client.ts";
import { createInformers } from "./create-informers.ts";

function configMap(
  name: string,
  revision: number,
  data: Record<string, string> = {},
  uid = `uid-${name}`,
): DynamicObject {
  const metadata = {
    name,
    namespace: "d",
    uid,
    resourceVersion: String(revision),
    creationTimestamp: "2026-01-01T00:00:00Z",
  };
  return { metadata, data };
}

/** An API whose answers the test gives. */
class Script implements Transport {
  lists: { revision: number; items: readonly KubeObject[] }[] = [];
  readonly watches: { from: string | undefined; events: Mailbox<WatchEvent> }[] = [];

  async send(): ReturnType<Transport["send"]> {
    const list = this.lists.shift();
    if (list === undefined) throw refusals.unavailable("no server");
    return JSON.parse(JSON.stringify({ metadata: { resourceVersion: String(list.revision) }, items: list.items }));
  }

  async *watch(...[request, signal]: Parameters<Transport["watch"]>): AsyncGenerator<WatchEvent> {
    const events = new Mailbox<WatchEvent>(100);
    this.watches.push({ from: request.query?.resourceVersion, events });
    for (let batch = await events.take(signal); batch !== undefined; batch = await events.take(signal)) yield* batch;
  }

  get last(): Mailbox<WatchEvent> {
    const last = this.watches.at(-1);
    assert.ok(last);
    return last.events;
  }
}

function started() {
  const script = new Script();
  const clock = new VirtualClock();
  const client = createClient(script);
  const informers = createInformers({ client, clock, random: seededRandom(1), logger: silentLogger });
  const informer = informers.for(ConfigMaps);
  const heard: string[] = [];
  const listen = () =>
    informer.onChange(({ kind, object }) =>
      heard.push(`${kind} ${object.metadata.name} ${object.metadata.resourceVersion}`),
    );
  return { script, clock, informers, informer, heard, listen };
}

test("a cache lists, follows, resumes where it was, and lists anew when its revision is gone", async () => {
  const { script, clock, informers, informer, heard, listen } = started();
  await using _all = informers;
  listen();
  script.lists.push({ revision: 5, items: [configMap("a", 3), configMap("b", 5)] });
  await clock.advance(10_000);
  assert.equal(informer.synced, true);
  script.last.put({ type: "MODIFIED", object: configMap("a", 6, { k: "v" }) });
  script.last.put({ type: "DELETED", object: configMap("b", 7) });
  script.last.put({ type: "BOOKMARK", object: { metadata: { resourceVersion: "20" } } });
  await clock.advance(1);
  assert.equal(informer.revision, 20);
  assert.throws(() => Object.assign(informer.get("a", "d")?.data ?? {}, { k: "w" }), TypeError);
  script.last.close();
  await clock.advance(10_000);
  assert.equal(script.watches.at(-1)?.from, "20");
  script.lists.push({ revision: 30, items: [configMap("a", 25, {}, "another"), configMap("c", 30)] });
  script.last.close(refusals.expired("too old"));
  await clock.advance(10_000);
  assert.equal(script.watches.at(-1)?.from, "30");
  assert.deepEqual(heard, [
    "added a 3",
    "added b 5",
    "updated a 6",
    "deleted b 7",
    "deleted a 6",
    "added a 25",
    "added c 30",
  ]);
});

test("a cache waits longer and longer for a server that is away, and keeps what it has", async () => {
  const { script, clock, informers, informer } = started();
  await using _all = informers;
  await clock.advance(300_000);
  assert.equal(informer.synced, false);
  script.lists.push({ revision: 1, items: [configMap("a", 1)] });
  await clock.advance(61_000);
  assert.equal(informer.synced, true);
  script.last.close(refusals.unavailable("restarting"));
  await clock.advance(61_000);
  assert.equal(informer.list().length, 1);
  assert.equal(script.watches.at(-1)?.from, "1");
});

test("informers are shared; indexes follow; late listeners hear of what is there; a broken listener harms nobody", async () => {
  const { script, clock, informers, informer, heard, listen } = started();
  await using _all = informers;
  informer.addIndex("team", ({ data }) => (data?.team === undefined ? [] : [data.team]));
  assert.equal(informers.for(ConfigMaps), informer);
  informer.onChange(() => {
    throw new Error("broken");
  });
  script.lists.push({ revision: 1, items: [configMap("a", 1, { team: "red" })] });
  await clock.advance(1000);
  const listening = listen();
  assert.deepEqual(heard, ["added a 1"]);
  const names = (team: string) => informer.byIndex("team", team).map(({ metadata }) => metadata.name);
  assert.deepEqual(names("red"), ["a"]);
  script.watches[0]?.events.put({ type: "MODIFIED", object: configMap("a", 2, { team: "blue" }) });
  await clock.advance(1);
  assert.deepEqual([names("red"), names("blue")], [[], ["a"]]);
  assert.deepEqual([informer.list("d").length, informer.list("x").length], [1, 0]);
  listening[Symbol.dispose]();
  script.watches[0]?.events.put({ type: "DELETED", object: configMap("a", 3) });
  await clock.advance(1);
  assert.deepEqual(names("blue"), []);
  assert.equal(heard.at(-1), "updated a 2");
  assert.notEqual(informers.for(ConfigMaps, { namespace: "x" }), informer);
});

test("a cache that is renewed counts as synced when it has been read anew, whatever its watch was doing", async () => {
  const { script, clock, informers, informer, heard, listen } = started();
  await using _all = informers;
  listen();
  script.lists.push({ revision: 5, items: [configMap("a", 3)] });
  await clock.advance(10_000);
  // The watch breaks off and waits to be tried again: meanwhile nothing of "b" is known.
  script.last.close();
  informers.renew();
  assert.equal(informer.synced, false);
  let synced = false;
  void informer.whenSynced(new AbortController().signal).then(() => {
    synced = true;
  });
  script.lists.push({ revision: 9, items: [configMap("a", 3), configMap("b", 9)] });
  await clock.advance(0);
  assert.deepEqual([synced, informer.synced, informer.revision], [true, true, 9]);
  assert.equal(script.watches.at(-1)?.from, "9");
  assert.deepEqual(heard, ["added a 3", "added b 9"]);
});
