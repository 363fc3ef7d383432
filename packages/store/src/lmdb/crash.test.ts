import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { randomInt, seededRandom, silentLogger, VirtualClock } from "@skiff/base";
import { everything, record, text, until } from "../conformance/fixture.ts";
import type { EmbeddedStore } from "../store.ts";
import { keysPerCommit } from "./crash-writer.ts";
import { openLmdbStore } from "./open.ts";

const rounds = 15;
const longestRunMs = 60;
/** A round has at least so many that were acknowledged. */
const fewestCommits = 10;

interface Acknowledged {
  readonly writer: number;
  readonly sequence: number;
  readonly revision: number;
}

/** Lets a child commit, kills it at a random moment, and gives what it had been told was committed. */
async function writeAndKill(folder: string, round: number, runMs: number): Promise<Acknowledged[]> {
  const script = join(import.meta.dirname, "crash-writer.ts");
  const child = spawn(process.execPath, [script, folder, `${round}`], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  const closed = once(child, "close");
  while (child.exitCode === null && output === "") await Promise.race([once(child.stdout, "data"), closed]);
  await new Promise<void>((resolve) => setTimeout(resolve, runMs));
  // A slow disk needs longer for what is worth looking at.
  while (child.exitCode === null && output.split("\n").length <= fewestCommits)
    await Promise.race([once(child.stdout, "data"), closed]);
  child.kill("SIGKILL");
  const [, signal] = await closed;
  assert.equal(signal, "SIGKILL", "the writer ended by itself");
  const lines = output.split("\n").slice(0, -1);
  return lines.map((line) => {
    const [writer = -1, sequence = -1, revision = -1] = line.split(" ").map(Number);
    return { writer, sequence, revision };
  });
}

async function check(store: EmbeddedStore, round: number, acknowledged: readonly Acknowledged[]): Promise<void> {
  const sequences = new Map<number, number>();
  let newest = 0;
  for (const { writer, sequence, revision } of acknowledged) {
    sequences.set(writer, sequence);
    newest = Math.max(newest, revision);
  }
  assert.ok(store.revision >= newest, `revision ${newest} was acknowledged and is lost`);
  for (const [writer, sequence] of sequences) {
    const entries = Array.from({ length: keysPerCommit }, (_, index) => store.get(`${writer}/${index}`));
    const [first] = entries;
    const [storedRound, storedSequence] = text(first?.value ?? Buffer.of())
      .split(" ")
      .map(Number);
    assert.equal(storedRound, round);
    assert.ok(
      storedSequence !== undefined && storedSequence >= sequence,
      `commit ${sequence} of writer ${writer} is lost`,
    );
    for (const entry of entries) assert.equal(entry?.modRevision, first?.modRevision, "half a transaction");
  }
  // History has no gaps, and every transaction in it is whole.
  const recorder = record(store, Math.max(2, store.compactedRevision));
  await until(() => recorder.watch.deliveredRevision === store.revision);
  let expected = Math.max(2, store.compactedRevision);
  for (const { revision, events } of recorder.batches) {
    assert.equal(revision, expected++);
    assert.equal(events.length, keysPerCommit);
  }
  assert.equal(expected, store.revision + 1);
  const { count } = await store.range(everything, { revision: store.compactedRevision });
  assert.equal(count % keysPerCommit, 0);
}

it("keeps every acknowledged commit, whole, whenever the process is killed", async () => {
  const seed = Number(process.env.STORE_SEED ?? Date.now() % 2 ** 31);
  const random = seededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), "skiff-store-"));
  try {
    for (let round = 1; round <= rounds; round++) {
      const acknowledged = await writeAndKill(folder, round, randomInt(random, longestRunMs));
      await using store = await openLmdbStore({ folder, clock: new VirtualClock(), logger: silentLogger });
      await check(store, round, acknowledged).catch((cause: unknown) => {
        throw new Error(`round ${round}, STORE_SEED=${seed}`, { cause });
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
