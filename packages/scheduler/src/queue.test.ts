import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "@skiff/base";
import { pod } from "./fixtures/objects.ts";
import { SchedulingQueue } from "./queue.ts";

function setUp() {
  const clock = new VirtualClock();
  let readied = 0;
  const queue = new SchedulingQueue({ clock, onReady: () => readied++ });
  return { clock, queue, readied: () => readied, next: () => queue.next()?.metadata.name };
}

const fit = new Set(["NodeResourcesFit"]);

describe("SchedulingQueue", () => {
  it("gives pods out by priority, then in order of arrival, each once", async () => {
    const { clock, queue, next } = setUp();
    queue.add(pod("first"));
    await clock.advance(5);
    queue.add(pod("second"));
    queue.add(pod("third"));
    queue.add(pod("urgent", { priority: 1000 }));
    queue.add(pod("humble", { priority: -1 }));
    assert.deepEqual(
      [next(), next(), next(), next(), next(), next()],
      ["urgent", "first", "second", "third", "humble", undefined],
    );
    assert.equal(queue.size, 5);
  });

  it("does not give out what was removed", () => {
    const { queue, next } = setUp();
    queue.add(pod("a"));
    queue.remove("uid-a");
    assert.equal(next(), undefined);
    queue.add(pod("a"));
    assert.equal(next(), "a");
  });

  it("lets a rejected pod wait for what may help it, and for its back-off", async () => {
    const { clock, queue, next, readied } = setUp();
    queue.add(pod("a"));
    next();
    queue.reject("uid-a", fit);
    queue.wake(["NodeAffinity"], () => true);
    await clock.advance(60_000);
    assert.equal(next(), undefined);
    queue.wake(["NodeResourcesFit"], () => false);
    await clock.advance(60_000);
    assert.equal(next(), undefined);
    queue.wake(["NodeResourcesFit"], () => true);
    assert.equal(next(), "a", "its back-off has long passed");
    queue.fail("uid-a");
    await clock.advance(1_999);
    assert.equal(next(), undefined);
    await clock.advance(1);
    assert.equal(next(), "a");
    assert.equal(readied(), 3);
  });

  it("gives a pod out before its back-off is over where no other waits", () => {
    const { queue, next } = setUp();
    queue.add(pod("a"));
    queue.add(pod("b"));
    next();
    queue.reject("uid-a", fit);
    queue.wake(["NodeResourcesFit"], () => true);
    assert.deepEqual([next(), next(), next()], ["b", "a", undefined]);
  });

  it("doubles the back-off up to ten seconds, and forgets it once the pod has its node", async () => {
    const { clock, queue, next } = setUp();
    queue.add(pod("a"));
    const waits: number[] = [];
    for (let round = 0; round < 6; round++) {
      next();
      queue.reject("uid-a", new Set());
      const startMs = clock.now();
      waits.push((clock.nextDueMs() ?? 0) - startMs);
      await clock.advance(10_000);
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    queue.remove("uid-a");
    queue.add(pod("a"));
    next();
    queue.reject("uid-a", new Set());
    assert.equal((clock.nextDueMs() ?? 0) - clock.now(), 1_000);
  });

  it("tries every pod again after five minutes, whatever happened", async () => {
    const { clock, queue, next } = setUp();
    queue.add(pod("a"));
    next();
    queue.reject("uid-a", fit);
    await clock.advance(299_999);
    assert.equal(next(), undefined);
    await clock.advance(1);
    assert.equal(next(), "a");
  });

  it("does not miss what happens while a pod is being tried", async () => {
    const { clock, queue, next } = setUp();
    queue.add(pod("a"));
    next();
    queue.wake([], () => false);
    queue.reject("uid-a", fit);
    await clock.advance(1_000);
    assert.equal(next(), "a");
  });

  it("tries a pod again when it has changed itself, as it is then", async () => {
    const { clock, queue } = setUp();
    queue.add(pod("a"));
    queue.next();
    queue.reject("uid-a", fit);
    queue.add(pod("a"));
    await clock.advance(2_000);
    assert.equal(queue.next(), undefined, "nothing has changed");
    const changed = pod("a", {}, { generation: 2 });
    queue.add(changed);
    assert.equal(queue.next(), changed);
  });

  it("keeps nothing of a pod that goes while it waits", async () => {
    const { clock, queue, next } = setUp();
    queue.add(pod("a"));
    next();
    queue.remove("uid-a");
    queue.reject("uid-a", new Set());
    queue.wake(["NodeResourcesFit"], () => true);
    await clock.advance(600_000);
    assert.equal(next(), undefined);
    assert.equal(queue.size, 0);
    assert.equal(clock.nextDueMs(), undefined);
  });
});
