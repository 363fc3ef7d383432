import assert from "node:assert/strict";
import { InvalidRequestError, LeaseNotFoundError, maximumKeyBytes, type Transaction } from "../store.ts";
import { bytes, type DeclareCase, put, remove, show, text, write } from "./fixture.ts";

export function commitCases(test: DeclareCase): void {
  test("starts at revision 1 and grows by one with each transaction that writes", async ({ store }) => {
    assert.equal(store.revision, 1);
    assert.equal(store.compactedRevision, 1);
    assert.equal(await write(store, put("a", "1")), 2);
    assert.equal(await write(store, put("b", "1"), put("c", "1"), remove("a")), 3);
    assert.equal(store.revision, 3);
  });

  test("changes no revision when nothing changes", async ({ store }) => {
    await write(store, put("a", "1"));
    assert.equal(await write(store, remove("absent")), 2);
    assert.equal(await write(store), 2);
    assert.equal(await write(store, remove("absent"), put("a", "2")), 3);
  });

  test("keeps create revision, mod revision and version, and starts them anew in a key's next life", async ({
    store,
  }) => {
    await write(store, put("a", "1"));
    await write(store, put("other", "x"));
    await write(store, put("a", "2"));
    assert.deepEqual(shape(await store.get("a")), { value: "2", createRevision: 2, modRevision: 4, version: 2 });
    await write(store, remove("a"));
    assert.equal(await store.get("a"), undefined);
    await write(store, put("a", "3"));
    assert.deepEqual(shape(await store.get("a")), { value: "3", createRevision: 6, modRevision: 6, version: 1 });
  });

  test("commits only when every comparison holds, and says what is there instead", async ({ store }) => {
    await write(store, put("a", "1"));
    await write(store, put("b", "1"));
    const cases: readonly [string, Transaction["compare"], readonly string[] | "committed"][] = [
      ["exact", [{ key: "a", modRevision: 2 }], "committed"],
      ["absent", [{ key: "x", modRevision: 0 }], "committed"],
      ["stale", [{ key: "b", modRevision: 2 }], ["b=1@3"]],
      ["expected absent", [{ key: "b", modRevision: 0 }], ["b=1@3"]],
      ["expected present", [{ key: "x", modRevision: 2 }], []],
      [
        "one of two",
        [
          { key: "b", modRevision: 3 },
          { key: "x", modRevision: 7 },
        ],
        [],
      ],
    ];
    for (const [name, compare, expected] of cases) {
      const before = store.revision;
      const result = await store.commit({ compare, operations: [put("touched", name)] });
      if (expected === "committed") {
        assert.deepEqual(result, { kind: "committed", revision: before + 1 }, name);
      } else {
        assert.ok(result.kind === "conflict", name);
        assert.deepEqual(result.current.map(show), expected, name);
        assert.equal(result.revision, before, name);
        assert.equal(store.revision, before, name);
      }
    }
  });

  test("decides concurrent commits one after the other: one of many creators wins", async ({ store, remote }) => {
    const attempts = Array.from({ length: 50 }, (_, index) =>
      store.commit({ compare: [{ key: "k", modRevision: 0 }], operations: [put("k", `${index}`)] }),
    );
    const results = await Promise.all(attempts);
    const winner = results.findIndex(({ kind }) => kind === "committed");
    if (!remote) assert.equal(winner, 0);
    assert.deepEqual(results[winner], { kind: "committed", revision: 2 });
    for (const result of results.toSpliced(winner, 1)) {
      assert.ok(result.kind === "conflict");
      assert.deepEqual(result.current.map(show), [`k=${winner}@2`]);
    }
    assert.equal(store.revision, 2);
  });

  test("loses no increment of many concurrent writers", async ({ store }) => {
    await write(store, put("n", "0"));
    const increment = async () => {
      for (;;) {
        const entry = await store.get("n");
        assert.ok(entry !== undefined);
        const compare = [{ key: "n", modRevision: entry.modRevision }];
        const result = await store.commit({ compare, operations: [put("n", `${Number(text(entry.value)) + 1}`)] });
        if (result.kind === "committed") return;
      }
    };
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let round = 0; round < 5; round++) await increment();
      }),
    );
    assert.equal(text((await store.get("n"))?.value ?? bytes("")), "100");
    assert.equal(store.revision, 102);
  });

  test("gives each of many concurrent commits its own revision, in the order of the calls where it can", async ({
    store,
    remote,
  }) => {
    const revisions = await Promise.all(
      Array.from({ length: 300 }, (_, index) => write(store, put(`k${index % 7}`, `${index}`))),
    );
    assert.deepEqual(
      remote ? revisions.toSorted((a, b) => a - b) : revisions,
      Array.from({ length: 300 }, (_, index) => index + 2),
    );
  });

  test("shows a transaction as soon as, and not before, it is answered", async ({ store, remote }) => {
    const committing = write(store, put("a", "1"));
    if (!remote) assert.equal(await Promise.race([store.get("a"), committing]), undefined);
    assert.equal(await committing, 2);
    assert.equal(store.revision, 2);
    assert.equal(text((await store.get("a"))?.value ?? bytes("")), "1");
  });

  test("keeps values as they are: empty, binary, large", async ({ store }) => {
    const values = [
      new Uint8Array(),
      Uint8Array.from({ length: 256 }, (_, index) => index),
      new Uint8Array(3 << 20).fill(7),
    ];
    for (const value of values) {
      await store.commit({ compare: [], operations: [{ kind: "put", key: "v", value }] });
      const read = await store.get("v");
      assert.equal(Buffer.compare(Buffer.from(read?.value ?? [1]), value), 0);
    }
  });

  test("refuses what is no transaction", async ({ store }) => {
    const cases: readonly [string, Transaction][] = [
      ["a key twice", { compare: [], operations: [put("a", "1"), remove("a")] }],
      ["an empty key", { compare: [], operations: [put("", "1")] }],
      ["an empty compared key", { compare: [{ key: "", modRevision: 0 }], operations: [] }],
      ["a key too long", { compare: [], operations: [put("ä".repeat(maximumKeyBytes / 2 + 1), "1")] }],
      ["half a character", { compare: [], operations: [put("a\ud800", "1")] }],
    ];
    for (const [name, transaction] of cases) await assert.rejects(store.commit(transaction), InvalidRequestError, name);
    await assert.rejects(write(store, put("a", "1", 99)), LeaseNotFoundError);
    assert.equal(store.revision, 1);
    assert.equal(await write(store, put("ä".repeat(maximumKeyBytes / 2), "longest")), 2);
  });
}

function shape(entry: Awaited<ReturnType<import("../store.ts").Store["get"]>>) {
  return (
    entry && {
      value: text(entry.value),
      createRevision: entry.createRevision,
      modRevision: entry.modRevision,
      version: entry.version,
    }
  );
}
