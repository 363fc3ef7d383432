/** Clusters whose files or processes came to harm. All on the simulated runtime. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type Outcome, Workbench } from "../story/workbench.ts";

const simulated = ["--runtime", "simulated"] as const;

const started = (name: string): Promise<Workbench> => Workbench.started(name, ...simulated);

async function assertUp(bench: Workbench): Promise<Outcome> {
  const up = await bench.skiff("up", ...simulated);
  assert.equal(up.code, 0, up.stderr);
  return up;
}

const root = (bench: Workbench): string => join(bench.folder, "home", bench.name);

/** Ends of paths right before which a start is killed: each leaves the home in another state. */
const moments = [
  "/home/killed",
  "/run",
  "/run/lock",
  "/pki/ca.key",
  "/cluster.json.copy.tmp",
  "/cluster.json.copy",
  "/cluster.json.tmp",
  "/cluster.json",
  // The supervisor runs from here on, noted by nobody yet.
  "/run/processes.json.tmp",
  "/run/processes.json",
  "/admin.kubeconfig",
];

for (const moment of moments) {
  test(`a start that was killed before it made ${moment} can be deleted, or repeated`, async () => {
    for (const then of ["delete", "up"] as const) {
      await using bench = await Workbench.create("killed");
      await bench.killedBefore(moment, "up", ...simulated);
      if (then === "up") await assertUp(bench);
      const made = existsSync(root(bench));
      const removed = await bench.skiff("delete");
      assert.equal(removed.code, made ? 0 : 3, removed.stderr);
      assert.ok(!existsSync(root(bench)), "nothing is left");
      await bench.eventually("no process is left, nor does one make the folder again", async () => {
        const running = await bench.shell("ps -eo args");
        assert.ok(!running.stdout.includes(bench.folder), running.stdout);
      });
      assert.ok(!existsSync(root(bench)), "nothing is made again");
    }
  });
}

test("records of processes that are long gone, or not ours", async () => {
  await using bench = await started("stale");
  await bench.skiff("down");
  const records = join(root(bench), "run", "processes.json");
  const other = { pid: process.pid, startTicks: 12, restarts: 0, startedAtMs: 1 };
  for (const text of [
    JSON.stringify([
      { name: "supervisor", ...other },
      { name: "server", ...other },
    ]),
    "garbage",
    "[{}]",
    "",
  ]) {
    await writeFile(records, text);
    assert.equal((await bench.skiff("status")).code, 3, text);
    await assertUp(bench);
    await writeFile(join(root(bench), "run", "lock"), "99999999");
    assert.equal((await bench.skiff("down")).code, 0, text);
  }
});

test("damaged settings are told of, and the cluster can be deleted all the same", async () => {
  await using bench = await started("settings");
  await bench.skiff("down");
  await writeFile(join(root(bench), "cluster.json"), '{"name"');
  for (const command of ["up", "status", "down"]) {
    const { code, stderr } = await bench.skiff(command);
    assert.equal(code, 1, command);
    assert.match(stderr, /cluster\.json is damaged \(not JSON\); restore it .* or delete the cluster/, command);
  }
  const removed = await bench.skiff("delete");
  assert.equal(removed.code, 0, removed.stderr);
  await assert.rejects(stat(root(bench)));
});

test("a store that is damaged is told of soon, and left as it is", async () => {
  await using bench = await started("store");
  await bench.skiff("down");
  const file = join(root(bench), "store", "data.mdb");
  await cp(file, `${file}.kept`);
  await truncate(file, 100_000);
  const { code, stderr } = await bench.skiff("up");
  assert.equal(code, 1);
  assert.match(stderr, /the API server does not answer: it ends again and again/);
  assert.match(stderr, /data\.mdb is damaged/);
  assert.equal((await stat(file)).size, 100_000);
  assert.equal((await bench.skiff("status")).code, 3, "it does not go on trying unseen");
  await cp(`${file}.kept`, file);
  await rm(`${file}.kept`);
  await assertUp(bench);
});

test("certificates that are missing are made anew, damaged ones are told of", async () => {
  await using bench = await started("pki");
  await bench.skiff("down");
  const pki = join(root(bench), "pki");
  await rm(join(pki, "admin.crt"));
  await assertUp(bench);
  await bench.skiff("down");
  await writeFile(join(pki, "apiserver.crt"), "junk");
  const { code, stderr } = await bench.skiff("up");
  assert.equal(code, 1);
  assert.match(stderr, /apiserver\.crt is damaged; restore it, or remove it: it is made anew/);
  await rm(join(pki, "apiserver.crt"));
  await assertUp(bench);
  await bench.skiff("down");
  // With the authority gone, whatever it signed is worth nothing.
  await rm(join(pki, "ca.crt"));
  await assertUp(bench);
});
