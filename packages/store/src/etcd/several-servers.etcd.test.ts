import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { systemClock, systemRandom } from "@skiff/base";
import { everything, put, record, remove, until, write } from "../conformance/fixture.ts";
import { CompactedError, prefixRange, StoreUnavailableError } from "../store.ts";
import type { EtcdStore } from "./etcd-store.ts";
import { EtcdProcess, freePort } from "./fixtures/etcd-process.ts";
import { openEtcdStore } from "./open.ts";

const openAt = (...endpoints: string[]): Promise<EtcdStore> =>
  openEtcdStore({ endpoints, prefix: "", clock: systemClock, random: systemRandom });

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-etcd-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("two stores on one etcd", () => {
  it("see each other's commits after sync, and in their watches", () =>
    inFolder(async (folder) => {
      await using etcd = await EtcdProcess.start({ folder });
      await using one = await openAt(etcd.url);
      await using other = await openAt(etcd.url);
      const recorder = record(other, 2);
      for (let index = 0; index < 50; index++) {
        const revision = await write(one, put(`k${index % 3}`, `${index}`));
        await other.sync();
        assert.equal(recorder.batches.at(-1)?.revision, revision);
        assert.equal(other.revision, revision);
      }
    }));

  it("sync though nothing happens in the watched range", () =>
    inFolder(async (folder) => {
      await using etcd = await EtcdProcess.start({ folder });
      await using one = await openAt(etcd.url);
      await using other = await openAt(etcd.url);
      const recorder = record(other, 2, prefixRange("/watched/"));
      const revision = await write(one, put("/elsewhere", "1"));
      await other.sync();
      assert.ok(recorder.watch.deliveredRevision >= revision);
      await Promise.all(Array.from({ length: 100 }, () => other.sync()));
    }));

  it("show a conflict's loser what made it lose", () =>
    inFolder(async (folder) => {
      await using etcd = await EtcdProcess.start({ folder });
      await using one = await openAt(etcd.url);
      await using other = await openAt(etcd.url);
      const recorder = record(other, 2);
      await write(one, put("k", "1"));
      await write(one, remove("k"));
      const result = await other.commit({ compare: [{ key: "k", modRevision: 2 }], operations: [put("k", "mine")] });
      assert.equal(result.kind, "conflict");
      assert.deepEqual(recorder.lines(), ["2: +k=1@2", "3: -k@3 (was k=1@2)"]);
    }));

  it("learn what the other has compacted", () =>
    inFolder(async (folder) => {
      await using etcd = await EtcdProcess.start({ folder });
      await using one = await openAt(etcd.url);
      for (let index = 0; index < 10; index++) await write(one, put("k", `${index}`));
      await one.compact(6);
      await using late = await openAt(etcd.url);
      assert.equal(late.compactedRevision, 6);
      await one.compact(9);
      await assert.rejects(late.range(everything, { revision: 7 }), CompactedError);
      assert.equal(late.compactedRevision, 9);
      const recorder = record(late, 9);
      await until(() => recorder.batches.length === 3);
      await one.compact(11);
      await assert.rejects(late.range(everything, { revision: 9 }), CompactedError);
    }));
});

describe("a connection that breaks", () => {
  it("goes on with the next endpoint", () =>
    inFolder(async (folder) => {
      await using etcd = await EtcdProcess.start({ folder });
      const nobody = `http://127.0.0.1:${await freePort()}`;
      await using store = await openAt(nobody, etcd.url);
      const recorder = record(store, 2);
      assert.equal(await write(store, put("k", "1")), 2);
      assert.equal(recorder.batches.length, 1);
    }));

  it("is refused at the start when nobody answers", async () => {
    await assert.rejects(openAt(`http://127.0.0.1:${await freePort()}`), StoreUnavailableError);
  });

  it("loses no event of a watch when etcd is killed and started again, and no acknowledged commit", () =>
    inFolder(async (folder) => {
      const [port, peerPort] = [await freePort(), await freePort()];
      let etcd = await EtcdProcess.start({ folder, port, peerPort });
      await using store = await openAt(etcd.url);
      const recorder = record(store, 2);
      const acknowledged: number[] = [];
      for (let round = 0; round < 3; round++) {
        const writing = Array.from({ length: 8 }, async (_, writer) => {
          for (let index = 0; index < 20; index++) {
            try {
              acknowledged.push(await write(store, put(`k${writer}`, `${round}/${index}`)));
            } catch (error) {
              assert.ok(error instanceof StoreUnavailableError);
            }
          }
        });
        await setTimeout(30);
        await etcd.kill();
        etcd = await EtcdProcess.start({ folder, port, peerPort });
        await Promise.all(writing);
      }
      const last = await write(store, put("last", "1"));
      await store.sync();
      const seen = recorder.batches.map(({ revision }) => revision);
      assert.deepEqual(
        seen,
        Array.from({ length: last - 1 }, (_, index) => index + 2),
      );
      const lost = acknowledged.filter((revision) => revision > last);
      assert.deepEqual(lost, []);
      assert.equal(new Set(acknowledged).size, acknowledged.length);
      assert.deepEqual(recorder.errors, []);
      await etcd[Symbol.asyncDispose]();
    }));

  it("does not wait for ever for an etcd that hangs", () =>
    inFolder(async (folder) => {
      await using etcd = await EtcdProcess.start({ folder });
      await using store = await openAt(etcd.url);
      const recorder = record(store, 2);
      await write(store, put("k", "1"));
      etcd.signal("SIGSTOP");
      await assert.rejects(write(store, put("k", "2")), StoreUnavailableError);
      etcd.signal("SIGCONT");
      const revision = await write(store, put("k", "3"));
      await store.sync();
      assert.equal(recorder.batches.at(-1)?.revision, revision);
    }));
});
