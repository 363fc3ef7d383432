/** What many watchers and many objects cost an API server: resident memory, and the time until it serves again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BenchRow } from "./row.ts";

const sessions = 50;
const watchesEach = 100;
const seconds = 10;
const objects = 100_000;
const path = "/api/v1/namespaces/default/configmaps";
const headers = { authorization: "Bearer bench" };

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly ca: string;
  /** From the start of its process until it listened. */
  readonly startedMs: number;
}

/** Measures with servers of their own, in processes of their own. */
export async function benchCrowd(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-bench-crowd-"));
  try {
    return [await manyWatches(join(folder, "watches")), ...(await manyObjects(join(folder, "objects")))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function manyWatches(folder: string): Promise<BenchRow> {
  const server = await start(folder, 0);
  try {
    const open = Array.from({ length: sessions }, () => connect(`https://127.0.0.1:${server.port}`, { ca: server.ca }));
    let told = 0;
    for (const session of open) {
      for (let at = 0; at < watchesEach; at++) {
        const watch = session.request({ ":path": `${path}?watch=1`, ...headers });
        watch.on("data", (chunk: Buffer) => {
          told += chunk.toString().split("\n").length - 1;
        });
        await once(watch, "response");
      }
    }
    for (let second = 0; second < seconds; second++) {
      await create(open[0], `event-${second}`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    const value = residentMiB(server.child);
    for (const session of open) session.destroy();
    const all = sessions * watchesEach * seconds;
    return {
      what: `resident memory with ${sessions * watchesEach} watches, an event a second to each`,
      value,
      detail: `${told} of ${all} events told`,
      unit: "MiB",
      floor: undefined,
      ceiling: 400,
    };
  } finally {
    await stop(server);
  }
}

async function create(session: ClientHttp2Session | undefined, name: string): Promise<void> {
  if (session === undefined) return;
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/json", ...headers });
  stream.end(JSON.stringify({ metadata: { name }, data: { text: "x".repeat(500) } }));
  stream.resume();
  await once(stream, "end");
}

async function manyObjects(folder: string): Promise<BenchRow[]> {
  await stop(await start(folder, objects));
  const again = await start(folder, objects);
  const resident = residentMiB(again.child);
  await stop(again);
  const what = `${objects} small objects`;
  return [
    {
      what: `start with ${what}, from the process to the port`,
      value: Math.round(again.startedMs),
      detail: "1 run",
      unit: "ms",
      floor: undefined,
      ceiling: 5000,
    },
    { what: `resident memory with ${what}`, value: resident, detail: "1 run", unit: "MiB", floor: undefined },
  ];
}

async function start(folder: string, count: number): Promise<Server> {
  const begunMs = performance.now();
  const file = join(import.meta.dirname, "crowd-server.ts");
  const options = ["--max-semi-space-size=4", file, folder, String(count)];
  const child = spawn(process.execPath, options, { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, startedMs: performance.now() - begunMs, ...JSON.parse(line) };
  }
  throw new Error("the server ended without a word");
}

async function stop({ child }: Server): Promise<void> {
  const closed = once(child, "close");
  child.stdin?.end();
  await closed;
}

/** Resident memory of a process in MiB. */
function residentMiB({ pid }: ChildProcess): number {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kibibytes) / 1024);
}
