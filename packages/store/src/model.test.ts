import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type Random, randomInt, seededRandom, silentLogger, systemRandom, VirtualClock } from "@skiff/base";
import { everything, put, record, remove, show, showBatch, until } from "./conformance/fixture.ts";
import {
  CompactedError,
  type EmbeddedStore,
  type KeyValue,
  type Operation,
  openLmdbStore,
  openMemoryStore,
  type Range,
  type Store,
  type StoreEvent,
  type StoreEventBatch,
  type Transaction,
} from "./index.ts";

/*
 * Random calls, several at a time, against a model that is too simple to be wrong: every state there ever was, kept whole.
 * A failure prints its seed; `STORE_SEED=n` repeats it.
 */

/** Keys whose order by UTF-16 units and by UTF-8 bytes differ are among them. */
const keys = ["a", "a/b", "b", "é", "\ufb01", "\u{1f600}", "\u{1f600}x", "z"];
const rounds = 120;

class Model {
  /** The state after each revision; the first is revision 1. */
  readonly states: ReadonlyMap<string, KeyValue>[] = [new Map()];
  readonly batches: StoreEventBatch[] = [];

  get revision(): number {
    return this.states.length;
  }

  get state(): ReadonlyMap<string, KeyValue> {
    return this.states.at(-1) ?? new Map();
  }

  /** True when the transaction was committed. */
  apply({ compare, operations }: Transaction): boolean {
    const { state } = this;
    if (compare.some(({ key, modRevision }) => (state.get(key)?.modRevision ?? 0) !== modRevision)) return false;
    const next = new Map(state);
    const modRevision = this.revision + 1;
    const events: StoreEvent[] = [];
    for (const operation of operations) {
      const { key } = operation;
      const previous = state.get(key);
      if (operation.kind === "delete") {
        if (!next.delete(key) || previous === undefined) continue;
        events.push({ kind: "delete", key, modRevision, previous });
        continue;
      }
      const createRevision = previous?.createRevision ?? modRevision;
      const version = (previous?.version ?? 0) + 1;
      const current = { key, value: operation.value, createRevision, modRevision, version, lease: undefined };
      next.set(key, current);
      events.push({ kind: "put", current, previous });
    }
    if (events.length === 0) return true;
    this.states.push(next);
    this.batches.push({ revision: modRevision, events });
    return true;
  }

  range({ start, end }: Range, revision: number): KeyValue[] {
    const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const entries = [...(this.states[revision - 1] ?? new Map<string, KeyValue>()).values()];
    const wanted = entries.filter(({ key }) => order(key, start) >= 0 && order(key, end) < 0);
    return wanted.sort((a, b) => order(a.key, b.key));
  }
}

const pick = <T>(random: Random, items: readonly T[]): T | undefined => items[randomInt(random, items.length)];

function randomTransaction(random: Random, model: Model): Transaction {
  const shuffled = [...keys].sort(() => random.next() - 0.5);
  const operations = shuffled
    .slice(0, randomInt(random, 4))
    .map(
      (key): Operation =>
        random.next() < 0.3 ? remove(key) : put(key, `${randomInt(random, 1e6)}`.repeat(1 + randomInt(random, 3) ** 6)),
    );
  const compare = shuffled
    .slice(-randomInt(random, 3))
    .slice(0, 2)
    .map((key) => ({
      key,
      modRevision:
        random.next() < 0.7 ? (model.state.get(key)?.modRevision ?? 0) : randomInt(random, model.revision + 1),
    }));
  return { compare: random.next() < 0.5 ? [] : compare, operations };
}

async function checkRandomRange(store: Store, model: Model, random: Random): Promise<void> {
  const range = random.next() < 0.3 ? everything : { start: pick(random, keys) ?? "", end: pick(random, keys) ?? "" };
  const revision = 1 + randomInt(random, model.revision);
  const limit = randomInt(random, 4);
  const expected = model.range(range, revision);
  const reading = store.range(range, { revision, limit });
  if (revision < store.compactedRevision) {
    await assert.rejects(reading, CompactedError);
    return;
  }
  const { entries, count } = await reading;
  assert.equal(count, expected.length);
  assert.deepEqual(entries.map(show), expected.slice(0, limit === 0 ? undefined : limit).map(show));
}

/** Checks everything that can be read without disturbing anything. */
async function checkState(store: Store, model: Model): Promise<void> {
  assert.equal(store.revision, model.revision);
  const { entries } = await store.range(everything);
  const plain = entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value).toString() }));
  const expected = model.range(everything, model.revision);
  assert.deepEqual(
    plain,
    expected.map((entry) => ({ ...entry, value: Buffer.from(entry.value).toString() })),
  );
  for (const key of keys) assert.equal((await store.get(key))?.modRevision, model.state.get(key)?.modRevision);
}

async function checkHistory(store: Store, model: Model): Promise<void> {
  const from = Math.max(2, store.compactedRevision);
  const expected = model.batches.slice(from - 2).map(showBatch);
  const recorder = record(store, from);
  await until(() => recorder.batches.length >= expected.length || recorder.errors.length > 0);
  assert.deepEqual(recorder.lines(), expected);
  recorder.watch[Symbol.dispose]();
}

/** `reopen` is tried now and then, where the engine can: it ends the store and gives it back. */
async function run(
  seed: number,
  open: () => Promise<EmbeddedStore>,
  reopen?: (store: EmbeddedStore, random: Random) => Promise<EmbeddedStore>,
): Promise<void> {
  const random = seededRandom(seed);
  const model = new Model();
  let store = await open();
  try {
    let watched = record(store, 2);
    let watchedFrom = 2;
    for (let round = 0; round < rounds; round++) {
      const transactions = Array.from({ length: 1 + randomInt(random, 6) }, () => randomTransaction(random, model));
      const results = Promise.all(transactions.map((transaction) => store.commit(transaction)));
      const expected = transactions.map((transaction) => ({
        kind: model.apply(transaction) ? "committed" : "conflict",
        revision: model.revision,
      }));
      assert.deepEqual(
        (await results).map(({ kind, revision }) => ({ kind, revision })),
        expected,
      );
      if (random.next() < 0.5) await checkRandomRange(store, model, random);
      if (random.next() < 0.05) await store.compact(1 + randomInt(random, model.revision));
      if (reopen !== undefined && random.next() < 0.1) {
        assert.deepEqual(watched.lines(), model.batches.slice(watchedFrom - 2).map(showBatch));
        store = await reopen(store, random);
        await checkState(store, model);
        watchedFrom = model.revision + 1;
        watched = record(store, watchedFrom);
      }
      if (random.next() < 0.2) await checkState(store, model);
    }
    assert.deepEqual(watched.lines(), model.batches.slice(watchedFrom - 2).map(showBatch));
    await checkState(store, model);
    await checkHistory(store, model);
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

describe("random calls against a model", () => {
  const given = process.env.STORE_SEED;
  const first = given === undefined ? randomInt(systemRandom, 2 ** 31) : Number(given);
  const seeds = Array.from({ length: given === undefined ? 6 : 1 }, (_, index) => first + index);

  for (const seed of seeds) {
    it(`memory, STORE_SEED=${seed}`, async () => {
      await run(seed, async () => openMemoryStore({ clock: new VirtualClock() }));
    });

    it(`lmdb with reopening, STORE_SEED=${seed}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "skiff-store-"));
      try {
        let generation = 0;
        const open = () =>
          openLmdbStore({ folder: join(folder, `${generation}`), clock: new VirtualClock(), logger: silentLogger });
        await run(seed, open, async (store, random) => {
          // A copy is as the disk would be if the process ended now; closing tidies up first.
          if (random.next() < 0.5) await store.snapshot(join(folder, `${++generation}`));
          await store[Symbol.asyncDispose]();
          return open();
        });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
