import assert from "node:assert/strict";
import { CompactedError, FutureRevisionError, InvalidRequestError, keyRange, prefixRange } from "../store.ts";
import { type DeclareCase, everything, put, remove, show, write } from "./fixture.ts";

export function rangeCases(test: DeclareCase): void {
  test("gives entries from start up to, not including, end", async ({ store }) => {
    await write(store, put("b", "1"), put("a", "2"), put("c", "3"), put("bb", "4"), put("a/x", "5"));
    const cases = [
      [{ start: "a", end: "b" }, ["a", "a/x"]],
      [{ start: "b", end: "c" }, ["b", "bb"]],
      [{ start: "x", end: "z" }, []],
      [{ start: "c", end: "a" }, []],
      [{ start: "", end: "" }, []],
      [everything, ["a", "a/x", "b", "bb", "c"]],
      [prefixRange("a"), ["a", "a/x"]],
      [prefixRange(""), ["a", "a/x", "b", "bb", "c"]],
      [keyRange("b"), ["b"]],
    ] as const;
    for (const [range, keys] of cases) {
      const result = await store.range(range);
      assert.deepEqual(
        result.entries.map((entry) => entry.key),
        keys,
      );
      assert.deepEqual([result.count, result.revision], [keys.length, 2]);
    }
  });

  test("orders keys by their UTF-8 bytes", async ({ store }) => {
    // As UTF-16 units, U+1F600 (a surrogate pair) would come before U+FB01.
    const keys = ["\u0001", "A", "a", "a\0", "aa", "é", "日本", "\ufb01", "\u{1f600}", "\u{1f601}x"];
    await write(store, ...[...keys].reverse().map((key) => put(key, "1")));
    const { entries } = await store.range(everything);
    assert.deepEqual(
      entries.map((entry) => entry.key),
      keys,
    );
    const beyond = await store.range({ start: "\ufb01", end: "\u{1f601}" });
    assert.deepEqual(
      beyond.entries.map((entry) => entry.key),
      ["\ufb01", "\u{1f600}"],
    );
  });

  test("limits entries but counts all, and can count only", async ({ store }) => {
    await write(
      store,
      ...Array.from({ length: 30 }, (_, index) => put(`k${String(index).padStart(2, "0")}`, `${index}`)),
    );
    await write(store, put("z", "outside"));
    const range = prefixRange("k");
    for (const [limit, expected] of [
      [0, 30],
      [1, 1],
      [29, 29],
      [30, 30],
      [31, 30],
    ] as const) {
      const result = await store.range(range, { limit });
      assert.deepEqual([result.entries.length, result.count], [expected, 30]);
      assert.equal(result.entries[0]?.key, "k00");
    }
    const counted = await store.range(range, { countOnly: true, limit: 3 });
    assert.deepEqual(counted, { revision: 3, entries: [], count: 30 });
  });

  test("reads at a past revision", async ({ store }) => {
    await write(store, put("a", "1"), put("b", "1"), put("d", "1"));
    await write(store, put("a", "2"), remove("b"), put("c", "1"));
    await write(store, remove("a"), put("b", "2"), put("e", "1"));
    const states = [[], ["a=1@2", "b=1@2", "d=1@2"], ["a=2@3", "c=1@3", "d=1@2"], ["b=2@4", "c=1@3", "d=1@2", "e=1@4"]];
    for (const [index, expected] of states.entries()) {
      const revision = index + 1;
      const all = await store.range(everything, { revision });
      assert.deepEqual(all.entries.map(show), expected);
      assert.deepEqual([all.count, all.revision], [expected.length, 4]);
      const limited = await store.range(everything, { revision, limit: 2 });
      assert.deepEqual([limited.entries.map(show), limited.count], [expected.slice(0, 2), expected.length]);
      const counted = await store.range(everything, { revision, countOnly: true });
      assert.deepEqual([counted.entries, counted.count], [[], expected.length]);
      const part = await store.range({ start: "b", end: "d" }, { revision });
      assert.deepEqual(
        part.entries.map(show),
        expected.filter((line) => line.startsWith("b") || line.startsWith("c")),
      );
    }
  });

  test("reads the same past whatever is written meanwhile", async ({ store }) => {
    for (let index = 0; index < 200; index++) await write(store, put(`k${index % 20}`, `${index}`));
    const revision = store.revision;
    const then = (await store.range(everything)).entries.map(show);
    const writing = Promise.all(
      Array.from({ length: 1500 }, (_, index) => write(store, put(`k${index % 40}`, `new ${index}`))),
    );
    const during = store.range(everything, { revision });
    await writing;
    assert.deepEqual((await during).entries.map(show), then);
    assert.deepEqual((await store.range(everything, { revision })).entries.map(show), then);
  });

  test("refuses revisions that do not exist yet, no longer, or never", async ({ store }) => {
    for (let index = 0; index < 4; index++) await write(store, put("a", `${index}`));
    await store.compact(3);
    await assert.rejects(store.range(everything, { revision: 6 }), FutureRevisionError);
    await assert.rejects(store.range(everything, { revision: 2 }), (error) => {
      return error instanceof CompactedError && error.compactedRevision === 3;
    });
    for (const revision of [0, -1, 1.5, Number.NaN]) {
      await assert.rejects(store.range(everything, { revision }), InvalidRequestError);
    }
    assert.deepEqual((await store.range(everything, { revision: 3 })).entries.map(show), ["a=1@3"]);
  });

  test("compacts without touching what is current", async ({ store }) => {
    await write(store, put("old", "1"), put("gone", "1"));
    await write(store, remove("gone"), put("changed", "1"));
    await write(store, put("changed", "2"));
    await write(store, put("changed", "3"));
    await store.compact(4);
    assert.equal(store.compactedRevision, 4);
    await store.compact(2);
    assert.equal(store.compactedRevision, 4);
    await assert.rejects(store.compact(6), FutureRevisionError);
    await store.compact(5);
    assert.deepEqual((await store.range(everything)).entries.map(show), ["changed=3@5", "old=1@2"]);
    assert.deepEqual((await store.range(everything, { revision: 5 })).entries.map(show), ["changed=3@5", "old=1@2"]);
    assert.equal(await write(store, put("old", "2")), 6);
    assert.deepEqual((await store.range(everything, { revision: 5 })).entries.map(show), ["changed=3@5", "old=1@2"]);
  });
}
