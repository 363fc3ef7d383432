import assert from "node:assert/strict";
import { InvalidRequestError, LeaseNotFoundError } from "../store.ts";
import { type DeclareCase, everything, put, record, remove, show, until, write } from "./fixture.ts";

export function leaseCases(test: DeclareCase): void {
  test("deletes its keys when its time is over, in one transaction", async ({ store, pass, remote }) => {
    const ttlMs = remote ? 2_000 : 10_000;
    const lease = await store.grantLease(ttlMs);
    assert.equal(lease.ttlMs, ttlMs);
    assert.ok(lease.id > 0);
    assert.equal(store.revision, 1);
    await write(store, put("a", "1", lease.id), put("b", "1"));
    await write(store, put("c", "1", lease.id));
    assert.equal((await store.get("a"))?.lease, lease.id);
    const recorder = record(store, 4);
    await pass(remote ? 1_000 : ttlMs - 1);
    assert.equal(store.revision, 3);
    await pass(1);
    await until(() => store.revision === 4);
    assert.deepEqual(recorder.lines(), ["4: -a@4 (was a=1@2) -c@4 (was c=1@3)"]);
    assert.deepEqual((await store.range(everything)).entries.map(show), ["b=1@2"]);
    await assert.rejects(store.keepLeaseAlive(lease.id), LeaseNotFoundError);
  });

  test("lives on while it is kept alive", async ({ store, pass, remote }) => {
    const ttlMs = remote ? 2_000 : 1_000;
    const lease = await store.grantLease(ttlMs);
    await write(store, put("a", "1", lease.id));
    const recorder = record(store, 3);
    for (let round = 0; round < 5; round++) {
      await pass(remote ? 700 : 900);
      await store.keepLeaseAlive(lease.id);
    }
    await pass(remote ? 700 : 999);
    assert.equal(store.revision, 2);
    await pass(1);
    await until(() => recorder.batches.length === 1);
    assert.equal(store.revision, 3);
    assert.equal(await store.get("a"), undefined);
  });

  test("lets go of a key that is written again without it", async ({ store, pass, remote }) => {
    const scale = remote ? 2 : 1;
    const [first, second] = [await store.grantLease(1_000 * scale), await store.grantLease(2_000 * scale)];
    await write(store, put("freed", "1", first.id), put("moved", "1", first.id), put("again", "1", first.id));
    await write(store, put("freed", "2"), put("moved", "2", second.id), remove("again"));
    await write(store, put("again", "2"));
    record(store, 5);
    if (!remote) await pass(1_500);
    await until(() => store.revision === 4);
    assert.equal((await store.range(everything)).count, 3);
    if (!remote) await pass(1_000);
    await until(() => store.revision === 5);
    assert.deepEqual((await store.range(everything)).entries.map(show), ["again=2@4", "freed=2@3"]);
  });

  test("can be revoked, once", async ({ store, pass, remote }) => {
    const lease = await store.grantLease(60_000);
    await write(store, put("a", "1", lease.id), put("b", "1", lease.id));
    await store.revokeLease(lease.id);
    assert.deepEqual([store.revision, (await store.range(everything)).count], [3, 0]);
    await assert.rejects(store.revokeLease(lease.id), LeaseNotFoundError);
    await assert.rejects(write(store, put("a", "1", lease.id)), LeaseNotFoundError);
    await pass(remote ? 1_000 : 120_000);
    assert.equal(store.revision, 3);
  });

  test("without keys ends without a revision; another gets another ID", async ({ store }) => {
    const first = await store.grantLease(1_000);
    await store.revokeLease(first.id);
    const second = await store.grantLease(1_000);
    assert.notEqual(first.id, second.id);
    assert.equal(store.revision, 1);
    for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(store.grantLease(ttlMs), InvalidRequestError);
    }
  });

  test("takes along keys that were attached in the same breath as it ended", async ({ store, remote }) => {
    if (remote) return;
    const lease = await store.grantLease(60_000);
    const results = await Promise.allSettled([
      write(store, put("a", "1", lease.id)),
      store.revokeLease(lease.id),
      write(store, put("b", "1", lease.id)),
      write(store, put("c", "1")),
    ]);
    assert.deepEqual(
      results.map((result) => result.status),
      ["fulfilled", "fulfilled", "rejected", "fulfilled"],
    );
    assert.deepEqual((await store.range(everything)).entries.map(show), ["c=1@4"]);
  });
}
