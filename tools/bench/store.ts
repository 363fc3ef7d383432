/*
 * Durable commits per second: our LMDB store against etcd on the same disk, in turns, with the same number of writers in
 * flight. Each commit puts 1 KiB and waits until it is on the disk. `node tools/bench/store.ts` runs it alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { silentLogger, systemClock } from "@skiff/base";
import { openLmdbStore } from "@skiff/store";
import { EtcdClient } from "./etcd-put.ts";
import { type BenchRow, median, spread } from "./row.ts";

const valueBytes = 1024;
const keysPerWriter = 500;
const writerCounts = [1, 32, 256];
/** Many short turns: what else a machine does comes and goes, and should meet neighbours alike. */
const turns = 15;
const turnMs = 400;
/** What the platform promises with many writers. */
const wantedRatio = 5;

/** Commits one value durably. */
type Put = (key: string, value: Buffer) => Promise<void>;

interface Target extends AsyncDisposable {
  readonly put: Put;
}

/** Measures both stores; without an `etcd` in PATH ours alone. Progress goes to stderr. */
export async function benchStore(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  // Beside the checkout rather than in the temporary folder, which may be memory.
  const folder = await mkdtemp(join(process.cwd(), ".bench-store-"));
  try {
    await using ours = await openOurs(join(folder, "lmdb"));
    await using etcd = await openEtcd(join(folder, "etcd"));
    for (const writers of writerCounts) rows.push(...(await compare(ours, etcd, writers)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}

async function compare(ours: Target, etcd: Target | undefined, writers: number): Promise<BenchRow[]> {
  const ourRates: number[] = [];
  const etcdRates: number[] = [];
  // In turns, so that whatever else the machine does meets both alike.
  for (let turn = 1; turn <= turns; turn++) {
    process.stderr.write(`store: ${writers} writers, turn ${turn} of ${turns}\n`);
    ourRates.push(await commitsPerSecond(ours.put, writers));
    if (etcd !== undefined) etcdRates.push(await commitsPerSecond(etcd.put, writers));
  }
  const many = `${writers} writer${writers === 1 ? "" : "s"}`;
  const rows = [rateRow(`store: durable 1 KiB commits, ${many}`, ourRates)];
  if (etcd === undefined) return rows;
  rows.push(rateRow(`etcd: durable 1 KiB commits, ${many}`, etcdRates));
  const ratios = ourRates.map((rate, index) => rate / (etcdRates[index] ?? Number.NaN));
  rows.push({
    what: `store against etcd, ${many}`,
    value: Number(median(ratios).toFixed(1)),
    unit: "times",
    floor: writers > 1 ? wantedRatio : undefined,
    detail: spread(ratios, 1),
  });
  return rows;
}

const rateRow = (what: string, rates: readonly number[]): BenchRow => ({
  what,
  value: Math.round(median(rates)),
  unit: "commits/s",
  floor: undefined,
  detail: spread(rates, 0),
});

async function commitsPerSecond(put: Put, writers: number): Promise<number> {
  const value = Buffer.alloc(valueBytes, "x");
  const start = performance.now();
  const end = start + turnMs;
  let commits = 0;
  const write = async (writer: number): Promise<void> => {
    for (let index = 0; performance.now() < end; index++) {
      await put(`/registry/bench/${writer}/${index % keysPerWriter}`, value);
      commits++;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return (commits * 1000) / (performance.now() - start);
}

async function openOurs(folder: string): Promise<Target> {
  const store = await openLmdbStore({ folder, clock: systemClock, logger: silentLogger });
  return {
    put: async (key, value) => {
      await store.commit({ compare: [], operations: [{ kind: "put", key, value }] });
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** Starts an etcd of one member on free loopback ports; `undefined` where none is installed. */
async function openEtcd(folder: string): Promise<Target | undefined> {
  const binary = (process.env.PATH ?? "")
    .split(delimiter)
    .map((path) => join(path, "etcd"))
    .find(existsSync);
  if (binary === undefined) {
    process.stderr.write("store: no etcd in PATH, nothing to compare with\n");
    return undefined;
  }
  const [clients, peers] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const child = spawn(
    binary,
    [
      ["--data-dir", folder],
      ["--listen-client-urls", `http://${clients}`],
      ["--advertise-client-urls", `http://${clients}`],
      ["--listen-peer-urls", `http://${peers}`],
      ["--initial-advertise-peer-urls", `http://${peers}`],
      ["--initial-cluster", `default=http://${peers}`],
      ["--quota-backend-bytes", `${8 * 1024 ** 3}`],
    ].flat(),
    { stdio: "ignore" },
  );
  await using stack = new AsyncDisposableStack();
  stack.defer(() => end(child));
  const client = stack.use(await whenReady(clients));
  const owned = stack.move();
  return { put: (key, value) => client.put(key, value), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Connects as soon as etcd answers, which it does within seconds of its start. */
async function whenReady(address: string): Promise<EtcdClient> {
  for (let attempt = 1; ; attempt++) {
    const client = new EtcdClient(address);
    try {
      await client.put("/ready", Buffer.of(1));
      return client;
    } catch (error) {
      client[Symbol.dispose]();
      if (attempt === 75) throw error;
      await setTimeout(200);
    }
  }
}

if (import.meta.main) {
  for (const { what, value, unit, floor, detail } of await benchStore()) {
    const verdict = floor === undefined ? "" : value >= floor ? " (ok)" : ` (below ${floor})`;
    console.log(`${what.padEnd(44)} ${String(value).padStart(8)} ${unit}${verdict}  ${detail}`);
  }
}
