import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CommandError, systemProcesses } from "./processes.ts";

const { signal } = new AbortController();
const code = (wanted: CommandError["code"]) => (error: unknown) =>
  error instanceof CommandError && error.code === wanted;

describe("running a command", () => {
  it("gives input, and takes both outputs and the exit code", async () => {
    const args = ["-c", "cat; echo err >&2; echo $GREETING; exit 3"];
    const result = await systemProcesses.run(
      "sh",
      { args, stdin: "in\n", env: { GREETING: "hi", PATH: process.env.PATH } },
      signal,
    );
    assert.deepEqual(result, { code: 3, stdout: "in\nhi\n", stderr: "err\n" });
  });

  it("says which signal ended it", async () => {
    const result = await systemProcesses.run("sh", { args: ["-c", "kill -TERM $$"] }, signal);
    assert.deepEqual([result.code, result.signal], [143, "SIGTERM"]);
  });

  it("kills it at the time limit, and when aborted", async () => {
    await assert.rejects(systemProcesses.run("sleep", { args: ["60"], timeoutMs: 20 }, signal), code("TIMEOUT"));
    const abort = AbortSignal.timeout(20);
    await assert.rejects(systemProcesses.run("sleep", { args: ["60"] }, abort), (error) => error === abort.reason);
  });

  it("tells a missing command from a failed one", async () => {
    await assert.rejects(systemProcesses.run("no-such-command", { args: [] }, signal), code("NOT_INSTALLED"));
    await assert.rejects(
      systemProcesses.output("sh", { args: ["-c", "echo why >&2; exit 1"] }, signal),
      (error) => code("FAILED")(error) && error instanceof Error && error.message.endsWith("why"),
    );
  });
});

describe("a process that goes on", () => {
  it("is known by pid and start time, and signalled only as long as it is the same", async () => {
    const line = Promise.withResolvers<string>();
    const log = { kind: "lines" as const, onLine: line.resolve };
    const started = await systemProcesses.start("sh", { args: ["-c", "echo up; exec sleep 60"], log });
    const { identity } = started;
    assert.equal(await line.promise, "up");
    assert.ok(systemProcesses.isAlive(identity));
    const another = { ...identity, startTicks: identity.startTicks + 1 };
    assert.equal(systemProcesses.isAlive(another), false);
    assert.equal(systemProcesses.signal(another, "SIGKILL"), false);
    assert.ok((systemProcesses.usage(process.pid)?.residentBytes ?? 0) > 0);
    assert.equal(systemProcesses.signal(identity, "SIGKILL"), true);
    assert.deepEqual(await started.exit, { code: 137, signal: "SIGKILL" });
    assert.equal(systemProcesses.isAlive(identity), false);
  });

  it("cannot be started where there is no such program", async () => {
    await assert.rejects(
      systemProcesses.start("no-such-command", { args: [], log: { kind: "none" } }),
      code("NOT_INSTALLED"),
    );
  });
});
