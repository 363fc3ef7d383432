import assert from "node:assert/strict";
import { CompactedError, InvalidRequestError, keyRange, prefixRange, StoreClosedError } from "../store.ts";
import { type DeclareCase, everything, put, record, remove, until, write } from "./fixture.ts";

export function watchCases(test: DeclareCase): void {
  test("tells of each change with the state before it, one batch a transaction, in the order of its operations", async ({
    store,
  }) => {
    const recorder = record(store, 2);
    await write(store, put("b", "1"), put("a", "1"));
    await write(store, put("a", "2"), remove("absent"), remove("b"));
    await write(store, remove("absent"));
    await write(store, put("b", "3"));
    const expected = ["2: +b=1@2 +a=1@2", "3: +a=2@3 (was a=1@2) -b@3 (was b=1@2)", "4: +b=3@4"];
    assert.deepEqual(recorder.lines(), expected);
    const replay = record(store, 1);
    await until(() => replay.batches.length === 3);
    assert.deepEqual(replay.lines(), expected);
  });

  test("has been called when the commit is answered, and can read what it is told of", async ({ store }) => {
    const seen: number[] = [];
    using watch = store.watch({
      range: everything,
      fromRevision: store.revision + 1,
      onBatch: (batch) => {
        assert.ok(store.revision >= batch.revision);
        seen.push(batch.revision);
      },
      onEnd: assert.fail,
    });
    const commits = Array.from({ length: 100 }, async (_, index) => {
      const revision = await write(store, put(`k${index}`, "1"));
      assert.ok(seen.includes(revision));
      assert.ok(watch.deliveredRevision >= revision);
    });
    await Promise.all(commits);
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
  });

  test("gives only what is in its range", async ({ store }) => {
    const prefix = record(store, 2, prefixRange("/pods/"));
    const single = record(store, 2, keyRange("/pods/a"));
    const span = record(store, 2, { start: "/pods/b", end: "/services" });
    await write(store, put("/pods/a", "1"), put("/nodes/a", "1"), put("/pods/b", "1"));
    await write(store, put("/nodes/b", "1"));
    await write(store, put("/pods/ab", "1"), put("/services", "1"), put("/pods/", "1"));
    assert.deepEqual(prefix.lines(), ["2: +/pods/a=1@2 +/pods/b=1@2", "4: +/pods/ab=1@4 +/pods/=1@4"]);
    assert.deepEqual(single.lines(), ["2: +/pods/a=1@2"]);
    assert.deepEqual(span.lines(), ["2: +/pods/b=1@2"]);
    // What is outside its range counts as delivered: a watcher may resume behind it.
    assert.deepEqual(
      [prefix, single, span].map(({ watch }) => watch.deliveredRevision),
      [4, 4, 4],
    );
  });

  test("joins the past to the present without loss or repetition", async ({ store }) => {
    for (let index = 0; index < 700; index++) await write(store, put(`k${index % 13}`, `${index}`));
    const recorders = [1, 2, 100, 690, 701, 702].map((from) => ({ from, ...record(store, from) }));
    const late: { from: number; batches: { revision: number }[] }[] = [];
    for (let round = 0; round < 30; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, index) => write(store, put(`k${index}`, `${round}`))));
      if (round % 5 === 0) late.push({ from: 350 + round, ...record(store, 350 + round) });
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const last = store.revision;
    assert.equal(last, 1001);
    for (const { from, batches } of [...recorders, ...late]) {
      await until(() => batches.at(-1)?.revision === last);
      const first = Math.max(2, from);
      assert.deepEqual(
        batches.map((batch) => batch.revision),
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      );
    }
    for (const { watch } of recorders) assert.equal(watch.deliveredRevision, last);
  });

  test("hands out values that stay as they are, large ones too, whatever is written and forgotten later", async ({
    store,
  }) => {
    const large = (fill: number) => new Uint8Array(100_000).fill(fill);
    const writeFilled = (fill: number) =>
      store.commit({ compare: [], operations: [{ kind: "put", key: `k${fill % 3}`, value: large(fill) }] });
    for (let fill = 0; fill < 20; fill++) await writeFilled(fill);
    const recorder = record(store, 1);
    await until(() => recorder.batches.length === 20);
    const ranged = await store.range(everything);
    const single = await store.get("k0");
    for (let fill = 20; fill < 60; fill++) {
      const { revision } = await writeFilled(fill);
      await store.compact(revision);
    }
    for (const [fill, { events }] of recorder.batches.slice(0, 20).entries()) {
      const [event] = events;
      assert.ok(event?.kind === "put");
      assert.equal(Buffer.compare(event.current.value, large(fill)), 0);
      if (fill >= 3) assert.equal(Buffer.compare(event.previous?.value ?? Buffer.of(), large(fill - 3)), 0);
    }
    assert.deepEqual(
      ranged.entries.map(({ value }) => Buffer.compare(value, large(value[0] ?? 0))),
      [0, 0, 0],
    );
    assert.deepEqual(
      ranged.entries.map(({ value }) => value[0]),
      [18, 19, 17],
    );
    assert.equal(Buffer.compare(single?.value ?? Buffer.of(), large(18)), 0);
  });

  test("waits for a revision of the future", async ({ store }) => {
    const recorder = record(store, 4);
    for (const value of ["1", "2", "3", "4"]) await write(store, put("a", value));
    assert.deepEqual(
      recorder.batches.map((batch) => batch.revision),
      [4, 5],
    );
  });

  test("never calls back before watch has returned, nor after it is disposed of", async ({ store }) => {
    for (let index = 0; index < 5; index++) await write(store, put("a", `${index}`));
    const past = record(store, 1);
    assert.deepEqual(past.batches, []);
    past.watch[Symbol.dispose]();
    const seen: number[] = [];
    const watch = store.watch({
      range: everything,
      fromRevision: 2,
      onBatch: (batch) => {
        seen.push(batch.revision);
        if (batch.revision === 8) watch[Symbol.dispose]();
      },
      onEnd: assert.fail,
    });
    await Promise.all(Array.from({ length: 6 }, (_, index) => write(store, put("b", `${index}`))));
    await until(() => seen.length >= 7);
    await write(store, put("c", "1"));
    assert.deepEqual(seen, [2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual(past.batches, []);
  });

  test("lets a callback watch and commit", async ({ store }) => {
    const inner: string[] = [];
    const commits: Promise<number>[] = [];
    const outer = store.watch({
      range: keyRange("a"),
      fromRevision: 2,
      onBatch: () => {
        store.watch({
          range: everything,
          fromRevision: store.revision + 1,
          onBatch: (batch) => inner.push(`${batch.revision}`),
          onEnd: () => {},
        });
        commits.push(write(store, put("b", "1")));
      },
      onEnd: () => {},
    });
    await write(store, put("a", "1"));
    assert.deepEqual(await Promise.all(commits), [3]);
    assert.deepEqual(inner, ["3"]);
    outer[Symbol.dispose]();
  });

  test("refuses a start that is compacted, and starts where history does", async ({ store }) => {
    for (const value of ["1", "2", "3", "4"]) await write(store, put("a", value));
    await store.compact(4);
    assert.throws(() => record(store, 3), CompactedError);
    for (const revision of [0, -1, 2.5]) assert.throws(() => record(store, revision), InvalidRequestError);
    const recorder = record(store, 4);
    await until(() => recorder.batches.length === 2);
    assert.deepEqual(recorder.lines(), ["4: +a=3@4 (was a=2@3)", "5: +a=4@5 (was a=3@4)"]);
  });

  test("is broken off when compaction overtakes it, and goes on when it does not", async ({ store }) => {
    await Promise.all(Array.from({ length: 3000 }, (_, index) => write(store, put(`k${index % 10}`, `${index}`))));
    const slow = record(store, 2);
    const live = record(store, store.revision + 1);
    await store.compact(store.revision);
    await until(() => slow.errors.length > 0 || slow.batches.length === 3000);
    // Either it was through already, or it was told: never a gap.
    if (slow.errors.length > 0) {
      assert.ok(slow.errors[0] instanceof CompactedError);
      assert.equal(slow.errors.length, 1);
    }
    assert.deepEqual(
      slow.batches.map((batch) => batch.revision),
      slow.batches.map((_, index) => index + 2),
    );
    const revision = await write(store, put("k0", "after"));
    assert.equal(live.batches.at(-1)?.revision, revision);
    assert.deepEqual(live.errors, []);
  });

  test("hears once when the store is closed", async ({ store }) => {
    const recorder = record(store, 2);
    const stopped = record(store, 2);
    stopped.watch[Symbol.dispose]();
    await write(store, put("a", "1"));
    await store[Symbol.asyncDispose]();
    assert.equal(recorder.errors.length, 1);
    assert.ok(recorder.errors[0] instanceof StoreClosedError);
    assert.deepEqual(stopped.errors, []);
  });
}
