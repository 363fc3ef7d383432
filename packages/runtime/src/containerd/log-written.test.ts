import assert from "node:assert/strict";
import { it } from "node:test";
import { VirtualClock } from "@skiff/base";
import type { GrpcChannel } from "@skiff/grpc";
import { RuntimeError } from "../runtime.ts";
import { ContainerState, ContainerStatusResponse } from "./generated/runtime-v1.ts";
import { logWritten } from "./log-written.ts";

const { signal } = new AbortController();
const exited = ContainerState.CONTAINER_EXITED;
const running = ContainerState.CONTAINER_RUNNING;

/** Answers one after the other; the last one again and again. Gives how long was waited, and how often was asked. */
async function waited(...answers: readonly (number | RuntimeError)[]) {
  const clock = new VirtualClock();
  let asked = 0;
  const call: GrpcChannel["call"] = async (method) => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    return method.response.decode(ContainerStatusResponse.encode({ status: { state: answer ?? exited } }));
  };
  const startMs = clock.monotonic();
  let endMs: number | undefined;
  const done = logWritten({ call }, "c", { clock, signal }).then(() => {
    endMs = clock.monotonic();
  });
  while (endMs === undefined) await clock.advance(5);
  await done;
  return { ms: endMs - startMs, asked };
}

it("a log is whole a moment after the runtime's own status tells the end", async () => {
  assert.deepEqual(await waited(exited), { ms: 50, asked: 1 });
  const away = new RuntimeError("UNAVAILABLE", "it starts");
  assert.deepEqual(await waited(running, away, running, exited), { ms: 5 + 10 + 20 + 50, asked: 4 });
});

it("nobody waits for the log of a container that is gone, nor for ever", async () => {
  assert.deepEqual(await waited(running, new RuntimeError("NOT_FOUND", "removed")), { ms: 5, asked: 2 });
  const { ms } = await waited(running);
  assert.ok(ms >= 10_000 && ms < 10_500, String(ms));
});
