import assert from "node:assert/strict";
import promises, { appendFile, mkdir, mkdtemp, readFile, rm, stat, truncate } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Clock, silentLogger, systemClock, VirtualClock } from "@skiff/base";
import { CommandError, type ProcessExit, type Processes, systemProcesses } from "@skiff/host";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { readProcessRecords, writeProcessRecords } from "./records.ts";
import { type SupervisedProcess, Supervisor } from "./supervisor.ts";

async function home(test: TestContext): Promise<ClusterPaths> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-supervise-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  const paths = clusterPaths(folder, "default");
  await mkdir(paths.logs, { recursive: true });
  return paths;
}

const shell = (name: string, script: string, stopMs = 60_000): SupervisedProcess => ({
  name,
  program: () => ({ command: "sh", args: ["-c", script] }),
  stopMs,
});

interface Running {
  stop(): Promise<void>;
}

function supervise(
  specs: readonly SupervisedProcess[],
  paths: ClusterPaths,
  effects: { readonly processes?: Processes; readonly clock?: Clock } = {},
): Running {
  const abort = new AbortController();
  const { processes = systemProcesses, clock = systemClock } = effects;
  const supervisor = new Supervisor(specs, { processes, clock, logger: silentLogger, paths });
  const running = supervisor.run(abort.signal);
  return {
    stop: () => {
      abort.abort();
      return running;
    },
  };
}

const record = async (paths: ClusterPaths, name: string) =>
  (await readProcessRecords(paths)).find((one) => one.name === name);

/** Waits until `ask` gives something: on a busy machine that takes as long as it takes. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("Supervisor with real processes", () => {
  it("starts a killed process again, writes its log, and stops it", async (test) => {
    const paths = await home(test);
    const { stop } = supervise([shell("server", "echo started; exec sleep 60")], paths);
    const log = () => readFile(join(paths.logs, "server.log"), "utf8").catch(() => "");
    const logged = (text: string) => eventually(async () => ((await log()) === text ? true : undefined));
    await logged("started\n");
    const first = await eventually(() => record(paths, "server"));
    systemProcesses.signal(first, "SIGKILL");
    const second = await eventually(async () => {
      const now = await record(paths, "server");
      return now !== undefined && now.pid !== first.pid && systemProcesses.isAlive(now) ? now : undefined;
    });
    assert.equal(second.restarts, 1);
    await logged("started\nstarted\n");
    await stop();
    assert.equal(systemProcesses.isAlive(second), false);
    assert.equal(await log(), "started\nstarted\n");
    assert.equal(await record(paths, "server"), undefined);
  });

  it("stops the last started first, each only when the one before has ended", async (test) => {
    const paths = await home(test);
    const order = join(paths.root, "order");
    const script = (name: string) =>
      `trap 'sleep 0.1; echo ${name} >> ${order}; exit 0' TERM; touch ${paths.root}/${name}; while :; do sleep 0.02; done`;
    const names = ["containerd", "server", "agent"];
    const { stop } = supervise(
      names.map((name) => shell(name, script(name))),
      paths,
    );
    for (const name of names) await eventually(() => stat(join(paths.root, name)).catch(() => undefined));
    await stop();
    assert.equal(await readFile(order, "utf8"), "agent\nserver\ncontainerd\n");
  });

  it("kills what does not end in time", async (test) => {
    const paths = await home(test);
    const { stop } = supervise(
      [shell("stubborn", `trap '' TERM; touch ${paths.root}/up; while :; do sleep 0.02; done`, 200)],
      paths,
    );
    await eventually(() => stat(join(paths.root, "up")).catch(() => undefined));
    const running = await eventually(() => record(paths, "stubborn"));
    await stop();
    assert.equal(systemProcesses.isAlive(running), false);
  });

  it("adopts what a dead supervisor left behind, and watches over it", async (test) => {
    const paths = await home(test);
    const spec = shell("agent", "exec sleep 60");
    const { command, args } = await spec.program();
    const left = await systemProcesses.start(command, { args, log: { kind: "none" } });
    await writeProcessRecords(paths, [{ ...left.identity, name: "agent", restarts: 3, startedAtMs: 12_345 }]);
    const { stop } = supervise([spec], paths);
    await eventually(() => record(paths, "supervisor"));
    const adopted = await eventually(() => record(paths, "agent"));
    assert.deepEqual([adopted.pid, adopted.restarts, adopted.startedAtMs], [left.identity.pid, 3, 12_345]);
    left.kill("SIGKILL");
    const next = await eventually(async () => {
      const now = await record(paths, "agent");
      return now !== undefined && now.pid !== left.identity.pid ? now : undefined;
    });
    assert.equal(next.restarts, 4);
    await stop();
    assert.equal(systemProcesses.isAlive(next), false);
  });

  it("never writes down less than what it found: it may be killed between two writes", async (test) => {
    const paths = await home(test);
    const clock = new VirtualClock();
    const agent = { pid: 1, startTicks: 1, name: "agent", restarts: 0, startedAtMs: 1 };
    const { processes } = scripted(clock, () => "runs");
    await writeProcessRecords(paths, [agent]);
    const written: string[] = [];
    const { rename } = promises;
    test.mock.method(promises, "rename", async (...[from, to]: Parameters<typeof rename>) => {
      written.push(await readFile(from, "utf8"));
      return rename(from, to);
    });
    syncBuiltinESMExports();
    test.after(() => {
      test.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const effects = { processes: { ...processes, isAlive: () => true }, clock };
    const { stop } = supervise([shell("agent", "")], paths, effects);
    await eventually(async () => (written.length === 2 ? true : undefined));
    for (const text of written) assert.deepEqual(JSON.parse(text).at(0), agent);
    effects.processes.isAlive = () => false;
    await clock.advance(1_000);
    await stop();
  });

  it("stops what it adopted", async (test) => {
    const paths = await home(test);
    const spec = shell("agent", "exec sleep 60");
    const { command, args } = await spec.program();
    const left = await systemProcesses.start(command, { args, log: { kind: "none" } });
    await writeProcessRecords(paths, [{ ...left.identity, name: "agent", restarts: 0, startedAtMs: 1 }]);
    const { stop } = supervise([spec], paths);
    await eventually(() => record(paths, "supervisor"));
    await stop();
    assert.equal((await left.exit).signal, "SIGTERM");
  });

  it("starts anew where the record's pid is another process by now", async (test) => {
    const paths = await home(test);
    await writeProcessRecords(paths, [{ pid: process.pid, startTicks: 1, name: "agent", restarts: 7, startedAtMs: 1 }]);
    const { stop } = supervise([shell("agent", "exec sleep 60")], paths);
    const started = await eventually(async () => {
      const now = await record(paths, "agent");
      return now !== undefined && now.pid !== process.pid ? now : undefined;
    });
    assert.equal(started.restarts, 0);
    await stop();
  });
});

/** Processes that do as the test says; each start is noted with its time. */
function scripted(clock: VirtualClock, start: (count: number) => "runs" | "ends" | "missing") {
  const startsMs: number[] = [];
  const exits: PromiseWithResolvers<ProcessExit>[] = [];
  const processes: Processes = {
    ...systemProcesses,
    async start(command) {
      startsMs.push(clock.monotonic());
      const what = start(startsMs.length);
      if (what === "missing") throw new CommandError("NOT_INSTALLED", `${command}: command not found`);
      const exit = Promise.withResolvers<ProcessExit>();
      exits.push(exit);
      if (what === "ends") exit.resolve({ code: 1 });
      const identity = { pid: startsMs.length, startTicks: 1 };
      return { identity, exit: exit.promise, kill: () => true, unref: () => {} };
    },
    identify: (pid) => ({ pid, startTicks: 1 }),
    isAlive: () => false,
    signal(identity) {
      exits[identity.pid - 1]?.resolve({ code: 0 });
      return true;
    },
  };
  return { processes, startsMs, exits };
}

const gaps = (timesMs: readonly number[]) => timesMs.slice(1).map((time, index) => time - (timesMs[index] ?? 0));

describe("Supervisor's back-off", () => {
  for (const what of ["ends", "missing"] as const) {
    it(`grows to five seconds where a process ${what === "ends" ? "keeps ending" : "cannot be started"}`, async (test) => {
      const clock = new VirtualClock();
      const { processes, startsMs } = scripted(clock, () => what);
      const { stop } = supervise([shell("x", "")], await home(test), { processes, clock });
      for (let round = 0; round < 100 && startsMs.length < 9; round++) {
        await clock.advance(500);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assert.deepEqual(gaps(startsMs).slice(0, 8), [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
      await stop();
    });
  }

  it("begins anew after a healthy run", async (test) => {
    const clock = new VirtualClock();
    const { processes, startsMs, exits } = scripted(clock, (count) => (count <= 3 ? "ends" : "runs"));
    const { stop } = supervise([shell("x", "")], await home(test), { processes, clock });
    for (let round = 0; round < 100 && startsMs.length < 4; round++) {
      await clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await clock.advance(10_000);
    const endedMs = clock.monotonic();
    exits[3]?.resolve({ code: 1 });
    await clock.advance(1_000);
    assert.equal((startsMs[4] ?? 0) - endedMs, 100);
    await stop();
  });

  it("does not start a process again that was told to stop", async (test) => {
    const clock = new VirtualClock();
    const { processes, startsMs } = scripted(clock, () => "runs");
    const { stop } = supervise([shell("x", "")], await home(test), { processes, clock });
    while (startsMs.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await stop();
    await clock.advance(60_000);
    assert.equal(startsMs.length, 1);
  });
});

describe("Supervisor's logs", () => {
  it("are emptied when they have grown large, the old text kept once", async (test) => {
    const paths = await home(test);
    const clock = new VirtualClock();
    const { processes } = scripted(clock, () => "runs");
    const [large, small] = [join(paths.logs, "x.log"), join(paths.logs, "y.log")];
    await appendFile(large, "first line\n");
    await truncate(large, 11 * 1024 * 1024);
    await appendFile(small, "little");
    const { stop } = supervise([shell("x", ""), shell("y", "")], paths, { processes, clock });
    await eventually(async () => ((await stat(large)).size === 0 ? true : undefined));
    assert.equal((await stat(`${large}.1`)).size, 11 * 1024 * 1024);
    assert.equal(await readFile(small, "utf8"), "little");
    await truncate(large, 12 * 1024 * 1024);
    await clock.advance(60_000);
    await eventually(async () => ((await stat(large)).size === 0 ? true : undefined));
    assert.equal((await stat(`${large}.1`)).size, 12 * 1024 * 1024);
    await stop();
  });
});

describe("readProcessRecords", () => {
  it("gives nothing for a file that is missing or damaged", async (test) => {
    const paths = await home(test);
    assert.deepEqual(await readProcessRecords(paths), []);
    await mkdir(paths.run, { recursive: true });
    for (const text of ["", "{", "{}", '[{"name":"x"}]', "[null]"]) {
      await rm(join(paths.run, "processes.json"), { force: true });
      await appendFile(join(paths.run, "processes.json"), text);
      assert.deepEqual(await readProcessRecords(paths), []);
    }
  });
});
