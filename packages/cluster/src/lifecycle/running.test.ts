import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "@skiff/base";
import { type Processes, systemProcesses } from "@skiff/host";
import { clusterPaths } from "../settings/paths.ts";
import { writeProcessRecords } from "../supervise/records.ts";
import { stopProcesses } from "./running.ts";

const record = (name: string, pid: number) => ({ name, pid, startTicks: 1, restarts: 0, startedAtMs: 1 });

test("a supervisor that the server starts while it is ended is ended, too", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-running-"));
  context.after(() => rm(folder, { recursive: true }));
  const paths = clusterPaths(folder, "default");
  const [dead, server, next] = [record("supervisor", 1), record("server", 2), record("supervisor", 3)];
  await writeProcessRecords(paths, [dead, server]);
  const living = new Set([server.pid]);
  const signals: string[] = [];
  let noting = Promise.resolve();
  const processes: Processes = {
    ...systemProcesses,
    isAlive: ({ pid }) => living.has(pid),
    signal({ pid }, name) {
      signals.push(`${name} ${pid}`);
      if (pid !== server.pid) return living.delete(pid);
      // It had seen that its supervisor is gone, and noted another as the last that it did.
      noting = writeProcessRecords(paths, [next, server]).then(() => {
        living.add(next.pid);
        living.delete(server.pid);
      });
      return true;
    },
    usage: () => undefined,
  };
  const { signal } = new AbortController();
  assert.equal(await stopProcesses(paths, { machine: { processes }, clock: systemClock }, signal), true);
  await noting;
  assert.deepEqual([signals, [...living]], [["SIGKILL 2", "SIGTERM 3"], []]);
});
