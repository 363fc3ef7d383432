import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Clock, VirtualClock } from "@skiff/base";
import { SimulatedRuntime } from "@skiff/runtime";
import { startSimulatedNode } from "./fixtures/simulated-node.ts";

const hourMs = 3_600_000;

/** A clock that somebody sets. */
class SetClock implements Clock {
  readonly #clock: VirtualClock;
  offsetMs = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now = (): number => this.#clock.now() + this.offsetMs;
  monotonic = (): number => this.#clock.monotonic();
  after = (delayMs: number, fire: () => void) => this.#clock.after(delayMs, fire);
  sleep = (delayMs: number, signal: AbortSignal) => this.#clock.sleep(delayMs, signal);
}

async function startNode() {
  let clock = new SetClock(new VirtualClock());
  const seenAs = (virtual: VirtualClock) => {
    clock = new SetClock(virtual);
    return clock;
  };
  const test = await startSimulatedNode((options) => new SimulatedRuntime(options), { seenAs });
  const status = (name: string) => test.node.pod(name)?.status?.containerStatuses?.[0];
  const renewedMs = () => {
    const lease = JSON.stringify(test.node.api.get("leases", "kube-node-lease", "node-1"));
    return Date.parse(/"renewTime":"([^"]*)"/.exec(lease)?.[1] ?? "");
  };
  return { ...test, clock, status, renewedMs, [Symbol.asyncDispose]: () => test[Symbol.asyncDispose]() };
}

for (const [what, byMs] of [
  ["back", -hourMs],
  ["ahead", 24 * hourMs],
] as const)
  describe(`a node whose clock is set ${what}`, () => {
    it("goes on with its lease, its pods and its back-offs", async () => {
      await using test = await startNode();
      test.node.create("steady", {});
      test.node.create("crash", {}, { annotations: { "skiff.dev/simulated-exit-code": "1" } });
      await test.until(() => test.status("steady")?.state?.running !== undefined);
      await test.until(() => test.status("crash")?.state?.waiting?.reason === "CrashLoopBackOff");
      const { containerID } = test.status("steady") ?? {};
      const restarts = test.status("crash")?.restartCount ?? 0;
      test.clock.offsetMs = byMs;
      await test.until(() => (test.status("crash")?.restartCount ?? 0) > restarts, "is restarted", 60_000);
      // The newest container is the newest, whatever the clock said when it was made.
      await test.until(() => (test.status("crash")?.restartCount ?? 0) > restarts + 1, "and again", 120_000);
      await test.until(() => Math.abs(test.renewedMs() - test.clock.now()) < 30_000, "renews its lease", 60_000);
      assert.equal(test.status("steady")?.containerID, containerID);
      test.node.create("late", {});
      await test.until(() => test.status("late")?.state?.running !== undefined, "takes pods", 20_000);
      await test.node.delete("late");
      await test.until(() => test.node.pod("late") === undefined, "and lets them go", 60_000);
    });

    it("shows tokens that are good by the clock as it is", async () => {
      await using test = await startNode();
      const sources = [{ serviceAccountToken: { path: "token", expirationSeconds: 3600 } }];
      test.node.create("reader", {
        serviceAccountName: "default",
        containers: [{ name: "main", image: "skiff/hello:1", volumeMounts: [{ name: "t", mountPath: "/t" }] }],
        volumes: [{ name: "t", projected: { sources } }],
      });
      await test.until(() => test.status("reader")?.state?.running !== undefined);
      const before = test.node.api.tokens;
      test.clock.offsetMs = byMs;
      // Set back, what is there is good for longer; set ahead, it has ended.
      if (byMs > 0) await test.until(() => test.node.api.tokens > before, "asks for another", 180_000);
      else await test.pass(180_000);
      assert.equal(test.node.api.tokens > before, byMs > 0);
    });
  });
