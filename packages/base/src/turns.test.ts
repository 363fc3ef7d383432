import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "./turns.ts";

const { signal } = new AbortController();

describe("turns", () => {
  it("are no more than allowed at one time, and come in their order", async () => {
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

  it("are not waited for by who has given up", async () => {
    const turns = new Turns(1);
    const gate = Promise.withResolvers<void>();
    const first = turns.take(() => gate.promise, signal);
    const impatient = new AbortController();
    const second = turns.take(async () => "second", impatient.signal);
    const third = turns.take(async () => "third", signal);
    impatient.abort(new Error("enough"));
    await assert.rejects(second, /enough/);
    gate.resolve();
    await first;
    assert.equal(await third, "third");
    assert.equal(await turns.take(async () => "later", signal), "later");
  });
});
