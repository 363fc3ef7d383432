import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@skiff/base";
import { MemoryStorage } from "../memory/memory-storage.ts";
import { ReadOnlyError, type Transaction } from "../store.ts";
import { GroupWriter } from "./group-writer.ts";
import { LeaseTable } from "./lease-table.ts";
import type { WriteGroup } from "./storage.ts";

const noSnapshot = { snapshot: () => Promise.reject(new Error("not wanted here")) };

/** A storage whose writes end when the test says so. */
class SlowStorage extends MemoryStorage {
  readonly underWay: { readonly group: WriteGroup; readonly end: (error?: Error) => void }[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor() {
    super(noSnapshot);
  }

  override write(group: WriteGroup): undefined {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const end = (error?: Error) => (error === undefined ? resolve() : reject(error));
    this.underWay.push({ group, end });
    const before = this.#last;
    this.#last = Promise.all([before, promise]).then(() => {
      super.write(group);
    });
    this.#last.catch(() => {});
    this.written.push(this.#last);
    return undefined;
  }

  readonly written: Promise<void>[] = [];
}

/** The same with promises for answers, as engines on a disk give them. */
function onDisk() {
  const storage = new SlowStorage();
  const write = storage.write.bind(storage);
  const durable: number[] = [];
  const slow = Object.assign(storage, {
    write(group: WriteGroup): Promise<void> {
      write(group);
      return storage.written.at(-1) ?? Promise.resolve();
    },
  });
  const writer = new GroupWriter({
    storage: slow,
    leases: new LeaseTable([]),
    logger: silentLogger,
    onDurable: ({ batches }) => durable.push(...batches.map(({ revision }) => revision)),
  });
  return { storage, writer, durable };
}

const put = (key: string, value = "1"): Transaction => ({
  compare: [],
  operations: [{ kind: "put", key, value: Buffer.from(value) }],
});
const turn = () => new Promise((resolve) => setImmediate(resolve));
const failure = new ReadOnlyError("the disk failed");

describe("groups on their way", () => {
  it("are two at most, the second planned upon the first, and land in their order", async () => {
    const { storage, writer, durable } = onDisk();
    const first = writer.run((plan) => plan.commit(put("a")));
    await turn();
    const second = writer.run((plan) => plan.commit({ ...put("a", "2"), compare: [{ key: "a", modRevision: 2 }] }));
    await turn();
    const third = writer.run((plan) => plan.commit(put("b")));
    await turn();
    assert.equal(storage.underWay.length, 2);
    storage.underWay[1]?.end();
    await turn();
    assert.deepEqual(durable, []);
    storage.underWay[0]?.end();
    assert.deepEqual(await first, { kind: "committed", revision: 2 });
    assert.deepEqual(await second, { kind: "committed", revision: 3 });
    await turn();
    storage.underWay[2]?.end();
    assert.deepEqual(await third, { kind: "committed", revision: 4 });
    assert.deepEqual(durable, [2, 3, 4]);
    await writer.finish();
  });

  it("answer who only looks when all that they saw is durable", async () => {
    const { storage, writer } = onDisk();
    const write = writer.run((plan) => plan.commit(put("a")));
    await turn();
    let answered = false;
    const look = writer
      .run((plan) => plan.commit({ compare: [{ key: "a", modRevision: 9 }], operations: [] }))
      .finally(() => {
        answered = true;
      });
    await turn();
    assert.equal(answered, false);
    storage.underWay[0]?.end();
    await write;
    const seen = await look;
    assert.equal(seen.kind === "conflict" && seen.current[0]?.modRevision, 2);
  });

  it("fall together: what was planned upon a failure fails, who only looked looks again", async () => {
    const { storage, writer, durable } = onDisk();
    const first = writer.run((plan) => plan.commit(put("a")));
    await turn();
    const second = writer.run((plan) => plan.commit(put("b")));
    await turn();
    const look = writer.run((plan) => plan.commit({ compare: [{ key: "a", modRevision: 2 }], operations: [] }));
    storage.underWay[1]?.end();
    storage.underWay[0]?.end(failure);
    await assert.rejects(first, ReadOnlyError);
    await assert.rejects(second, ReadOnlyError);
    assert.deepEqual(await look, { kind: "conflict", revision: 1, current: [] });
    assert.deepEqual(durable, []);
    await writer.finish();
  });
});
