import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger, VirtualClock } from "@skiff/base";
import { CompactedError, openMemoryStore, type Store, type WatchOptions } from "@skiff/store";
import type { CacheEvent } from "./cache-event.ts";
import { WatchCache } from "./watch-cache.ts";

const prefix = "/registry/core/configmaps/";
const stored = (name: string, data: string) =>
  Buffer.from(JSON.stringify({ kind: "ConfigMap", apiVersion: "v1", metadata: { name }, data: { data } }));

const show = ({ key, revision, previous, current }: CacheEvent): string =>
  `${revision} ${key.slice(prefix.length)} ${previous?.revision ?? "-"} → ${current?.revision ?? "-"}`;

/** A store whose watch breaks off on demand. */
function breakable(store: Store): { readonly store: Store; readonly watches: WatchOptions[] } {
  const watches: WatchOptions[] = [];
  const wrapped = new Proxy(store, {
    get(target, name) {
      if (name === "watch") {
        return (options: WatchOptions) => {
          let over = false;
          const watch = target.watch({
            ...options,
            onBatch: (batch) => {
              if (!over) options.onBatch(batch);
            },
          });
          watches.push({
            ...options,
            onEnd: (error) => {
              over = true;
              watch[Symbol.dispose]();
              options.onEnd(error);
            },
          });
          return watch;
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return { store: wrapped, watches };
}

describe("a watch cache whose watch is lost", () => {
  it("reads everything anew and tells what happened in between", async () => {
    const clock = new VirtualClock();
    await using memory = openMemoryStore({ clock });
    const { store, watches } = breakable(memory);
    const put = (name: string, data: string) =>
      memory.commit({ compare: [], operations: [{ kind: "put", key: prefix + name, value: stored(name, data) }] });
    const remove = (name: string) =>
      memory.commit({ compare: [], operations: [{ kind: "delete", key: prefix + name }] });
    for (const name of ["changed", "gone", "replaced", "same"]) await put(name, "1");
    using cache = await WatchCache.open({ store, clock, logger: silentLogger });
    const events: string[] = [];
    using _listening = cache.of(prefix).listen((event) => events.push(show(event)));
    const [first] = watches;
    // The watch is over for the cache before it is told so: what follows is in the gap.
    const end = first?.onEnd;
    const gap = (async () => {
      end?.(new CompactedError(9));
      await put("changed", "2");
      await put("changed", "3");
      await remove("gone");
      await remove("replaced");
      await put("replaced", "2");
      await put("new", "1");
    })();
    await gap;
    await cache.fresh();
    await put("after", "1");
    assert.equal(cache.revision, memory.revision);
    const names = [...cache.of(prefix).from(prefix, prefix)].map(({ key }) => key.slice(prefix.length));
    assert.deepEqual(names, ["after", "changed", "new", "replaced", "same"]);
    const last = new Map<string, string>();
    for (const line of events) last.set(line.split(" ")[1] ?? "", line);
    assert.deepEqual(
      [...last.values()].filter((line) => !line.includes("→ -")).map((line) => line.split(" ")[1]),
      ["changed", "replaced", "new", "after"],
    );
    const revisions = events.map((line) => Number(line.split(" ")[0]));
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    assert.ok(events.some((line) => / gone \d+ → -$/.test(line)));
    assert.equal(watches.length, 2);
  });

  it("tells an object that came after another of its name as both", async () => {
    const clock = new VirtualClock();
    await using memory = openMemoryStore({ clock });
    using cache = await WatchCache.open({ store: memory, clock, logger: silentLogger });
    const resource = cache.of(prefix);
    const entry = (modRevision: number, createRevision: number) => ({
      key: `${prefix}a`,
      value: stored("a", `${modRevision}`),
      createRevision,
      modRevision,
      version: 1,
      lease: undefined,
    });
    resource.apply({ kind: "put", current: entry(2, 2), previous: undefined });
    const events: string[] = [];
    using _listening = resource.listen((event) => events.push(show(event)));
    resource.reload([entry(9, 7)], 12);
    assert.deepEqual(events, ["6 a 2 → -", "9 a - → 9"]);
    resource.reload([], 15);
    assert.deepEqual(events.slice(2), ["15 a 9 → -"]);
  });
});
