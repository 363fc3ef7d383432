import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "@skiff/base";
import { FirstProcesses } from "./first-processes.ts";

const { signal } = new AbortController();

/** Processes by pid; what is killed is gone. */
function some(...pids: readonly number[]) {
  const alive = new Set(pids);
  const killed: number[] = [];
  const processes = {
    identify: (pid: number) => (alive.has(pid) ? { pid, startTicks: 7 } : undefined),
    signal: ({ pid }: { readonly pid: number }) => {
      if (alive.delete(pid)) killed.push(pid);
      return killed.includes(pid);
    },
  };
  return { processes, killed, alive };
}

describe("first processes", () => {
  it("are killed, and it is waited until nothing of them is left", async () => {
    const { processes, killed } = some(10, 11);
    const clock = new VirtualClock();
    const first = new FirstProcesses(processes, clock);
    first.started("a", 10);
    first.started("b", 11);
    let isOver = false;
    const killing = first.kill(["a", "b", "unknown"], signal).then(() => {
      isOver = true;
    });
    assert.deepEqual(killed, [10, 11]);
    for (const id of ["a", "b"]) first.ended(id);
    first.cleared("a");
    await new Promise(setImmediate);
    assert.equal(isOver, false);
    first.cleared("b");
    await killing;
    await first.kill(["a", "b"], signal);
    assert.deepEqual(killed, [10, 11], "only once");
  });

  it("are waited for no longer than a moment", async () => {
    const { processes } = some(10);
    const clock = new VirtualClock();
    const first = new FirstProcesses(processes, clock);
    first.started("a", 10);
    const killing = first.kill(["a"], signal);
    await clock.advance(1000);
    await killing;
  });

  it("are not waited for where they ended unheard", async () => {
    const { processes, alive } = some(10);
    const first = new FirstProcesses(processes, new VirtualClock());
    first.started("a", 10);
    first.started("never was", 11);
    alive.delete(10);
    await first.kill(["a", "never was"], signal);
  });
});
