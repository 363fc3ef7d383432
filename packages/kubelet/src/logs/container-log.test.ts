import assert from "node:assert/strict";
import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "@skiff/base";
import { containerLog, type LogOptions } from "./container-log.ts";
import { lastLines } from "./read-log.ts";

const line = (second: number, text: string, tag = "F", stream = "stdout") =>
  `2026-01-01T00:00:0${second}.000000000Z ${stream} ${tag} ${text}\n`;
const text = line(1, "one") + line(2, "tw", "P") + line(2, "o") + line(3, "err", "F", "stderr") + line(4, "four");

async function folderOf() {
  const folder = await mkdtemp(join(tmpdir(), "skiff-log-"));
  const path = join(folder, "0.log");
  await writeFile(path, text);
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const { signal } = new AbortController();
const plain: LogOptions = { follow: false, timestamps: false };

describe("containerLog", () => {
  const table: readonly (readonly [string, Partial<LogOptions>, string])[] = [
    ["all of it, parts joined", {}, "one\ntwo\nerr\nfour\n"],
    ["the last lines", { tailLines: 2 }, "err\nfour\n"],
    ["none", { tailLines: 0 }, ""],
    ["more than there are", { tailLines: 100 }, "one\ntwo\nerr\nfour\n"],
    ["since a time", { sinceMs: Date.parse("2026-01-01T00:00:03Z") }, "err\nfour\n"],
    ["one stream", { stream: "stderr" }, "err\n"],
    ["no more bytes than asked for", { limitBytes: 5 }, "one\nt"],
    ["with times", { tailLines: 1, timestamps: true }, "2026-01-01T00:00:04.000000000Z four\n"],
    [
      "one time for a line in parts",
      { stream: "stdout", sinceMs: Date.parse("2026-01-01T00:00:02Z"), timestamps: true },
      "2026-01-01T00:00:02.000000000Z two\n2026-01-01T00:00:04.000000000Z four\n",
    ],
  ];
  for (const [name, options, expected] of table) {
    it(name, async () => {
      await using log = await folderOf();
      const source = { path: log.path, isRunning: () => false, clock: systemClock };
      const pieces: Buffer[] = [];
      for await (const piece of containerLog(source, { ...plain, ...options }, signal)) pieces.push(piece);
      assert.equal(Buffer.concat(pieces).toString(), expected);
    });
  }

  for (const [tailLines, follow, expected] of [
    [0, false, ""],
    [1, false, "four\n"],
    [100, false, "one\ntwo\nerr\nfour\nfive\n"],
    [0, true, "five\n"],
    [1, true, "four\nfive\n"],
  ] as const) {
    it(`gives the last ${tailLines} lines while another is written, ${follow ? "followed" : "and no more"}`, async () => {
      await using log = await folderOf();
      // Asked after the last lines were counted, before they are read. The answer may wait for what is on its way.
      const isRunning = async () => {
        await systemClock.sleep(5, signal);
        await appendFile(log.path, line(5, "five"));
        return false;
      };
      const pieces: Buffer[] = [];
      const source = { path: log.path, isRunning, clock: systemClock };
      for await (const piece of containerLog(source, { ...plain, tailLines, follow }, signal)) pieces.push(piece);
      assert.equal(Buffer.concat(pieces).toString(), expected);
    });
  }

  it("follows over a rotation to the container's end, and loses nothing", async () => {
    await using log = await folderOf();
    let running = true;
    const source = { path: log.path, isRunning: () => running, clock: systemClock };
    let seen = "";
    for await (const piece of containerLog(source, { ...plain, follow: true, tailLines: 1 }, signal)) {
      seen += piece.toString();
      if (seen === "four\n") {
        await appendFile(log.path, line(5, "five"));
        await rename(log.path, `${log.path}.1`);
        await writeFile(log.path, line(6, "six"));
      }
      if (seen.endsWith("six\n")) running = false;
    }
    assert.equal(seen, "four\nfive\nsix\n");
  });

  it("gives the end of a log for a termination message", async () => {
    await using log = await folderOf();
    assert.equal(await lastLines(log.path, { lines: 2, bytes: 100 }), "err\nfour\n");
    assert.equal(await lastLines(log.path, { lines: 2, bytes: 5 }), "four\n");
    assert.equal(await lastLines(`${log.path}.none`, { lines: 2, bytes: 5 }), "");
  });
});
