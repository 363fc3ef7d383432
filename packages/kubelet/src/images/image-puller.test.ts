import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "./image-puller.ts";

const { signal } = new AbortController();

describe("pulls at one time", () => {
  it("are no more than allowed, and come in their order", async () => {
    const turns = new Turns(2);
    const started: number[] = [];
    const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    const pulls = gates.map((gate, at) =>
      turns.take(async () => {
        started.push(at);
        await gate.promise;
      }, signal),
    );
    assert.deepEqual(started, [0, 1]);
    gates[1]?.resolve();
    await pulls[1];
    await Promise.resolve();
    assert.deepEqual(started, [0, 1, 2]);
    for (const gate of gates) gate.resolve();
    await Promise.all(pulls);
    assert.deepEqual(started, [0, 1, 2, 3]);
  });

  it("go on after one that failed", async () => {
    const turns = new Turns(1);
    await assert.rejects(turns.take(() => Promise.reject(new Error("no")), signal));
    assert.equal(await turns.take(async () => "yes", signal), "yes");
  });
});
