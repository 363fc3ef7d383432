import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "@skiff/base";
import { StartBackoff } from "./start-backoff.ts";

const main = { name: "main", image: "a:1", resources: { limits: { cpu: "1" } } };

/** A container that has just ended for the third time, and waits for 20 s. */
async function endedThrice() {
  const clock = new VirtualClock();
  const backoff = new StartBackoff(clock);
  for (let end = 0; end < 2; end++) {
    backoff.started(main, clock.now());
    await clock.advance(20_000);
  }
  return { clock, backoff, remainingMs: (container: typeof main) => backoff.remainingMs(container, clock.now()) };
}

test("the delay is for the same image and resources, however they are written", async () => {
  const { remainingMs } = await endedThrice();
  assert.equal(remainingMs(main), 20_000);
  assert.equal(remainingMs({ ...main, resources: { limits: { cpu: "1" } } }), 20_000);
});

for (const [what, changed] of [
  ["image", { ...main, image: "a:2" }],
  ["resources", { ...main, resources: { limits: { cpu: "2" } } }],
] as const)
  test(`with other ${what} it begins anew`, async () => {
    const { backoff, clock, remainingMs } = await endedThrice();
    assert.equal(remainingMs(changed), 0);
    backoff.started(changed, clock.now());
    assert.equal(remainingMs(changed), 10_000);
    assert.equal(backoff.delayMs(changed), 10_000);
  });

test("delays grow from none at all to 5 min, and a container that ran for long begins anew", async () => {
  const clock = new VirtualClock();
  const backoff = new StartBackoff(clock);
  const delays: number[] = [];
  for (let round = 0; round < 8; round++) {
    delays.push(backoff.remainingMs(main, clock.now()));
    backoff.started(main, clock.now());
  }
  assert.deepEqual(delays, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  await clock.advance(600_001);
  assert.equal(backoff.remainingMs(main, clock.now()), 0);
});

test("what differs does not take the delay of the other away: two by turns would never wait", async () => {
  const { backoff, clock, remainingMs } = await endedThrice();
  const other = { ...main, image: "a:2" };
  backoff.started(other, clock.now());
  assert.deepEqual([remainingMs(main), remainingMs(other)], [20_000, 10_000]);
});
