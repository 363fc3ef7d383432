/**
 * Measures a real cluster on this machine: start, pods, memory, idle CPU. It has a home, a name and ports of its own, and
 * is deleted at the end.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isPodTerminal, type New, type Pod, Pods } from "@skiff/api";
import { silentLogger, systemClock, systemRandom } from "@skiff/base";
import { type Client, createClient, createInformers, httpsTransport, loadKubeconfig } from "@skiff/client";
import { stateFolder } from "@skiff/cluster";
import { type BenchRow, median, spread } from "./row.ts";
import { volumeRows } from "./volumes.ts";

/** The `skiff` command of this repository. */
export const launcher = join(import.meta.dirname, "../../packages/cli/bin/skiff.js");
const starts = 5;
const singlePods = 15;
const bulkPods = 30;
const idleMs = 20_000;
const never = new AbortController().signal;

interface Up {
  readonly apiMs: number;
  readonly nodeReadyMs: number;
}

/** A process as `skiff status` tells of it. */
export interface StatusProcess {
  readonly name: string;
  readonly pid: number;
  readonly residentBytes: number;
}

/** Runs all of the cluster's figures; needs root on Linux. */
export async function benchCluster(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-bench-"));
  const environment = { ...process.env, KUBECONFIG: join(folder, "kubeconfig") };
  const skiff = (...words: readonly string[]) =>
    output(process.execPath, [launcher, ...words, "--home", folder, "--name", "bench", "-o", "json"], environment);
  try {
    const ups: Up[] = [];
    for (let turn = 1; turn <= starts; turn++) {
      process.stderr.write(`cluster: start ${turn} of ${starts}\n`);
      if (turn > 1) await skiff("down");
      const startMs = performance.now();
      const told: Up = JSON.parse(await skiff("up"));
      // The command cannot measure its own start and end: what it does not count comes on top of both.
      const uncountedMs = performance.now() - startMs - told.nodeReadyMs;
      ups.push({ apiMs: told.apiMs + uncountedMs, nodeReadyMs: told.nodeReadyMs + uncountedMs });
    }
    const rows = startRows(ups);
    const access = loadKubeconfig(await readFile(environment.KUBECONFIG, "utf8"));
    await using transport = httpsTransport({ ...access, clock: systemClock });
    const client = createClient(transport);
    rows.push(...(await podRows(client, folder)));
    rows.push(...(await volumeRows(client, join(folder, "bench/kubelet/pods"))));
    rows.push(...(await idleRows(client, skiff)));
    return rows;
  } finally {
    await skiff("delete").catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

function startRows(ups: readonly Up[]): BenchRow[] {
  const [, ...again] = ups;
  const seconds = (values: readonly number[]) => values.map((ms) => ms / 1000);
  const api = seconds(again.map((up) => up.apiMs));
  const node = seconds(again.map((up) => up.nodeReadyMs));
  const first = ups[0];
  return [
    { what: "up: API answers", value: median(api), unit: "s", floor: undefined, ceiling: 1, detail: spread(api, 2) },
    { what: "up: node Ready", value: median(node), unit: "s", floor: undefined, ceiling: 3, detail: spread(node, 2) },
    {
      what: "first up of a new cluster: node Ready",
      value: (first?.nodeReadyMs ?? Number.NaN) / 1000,
      unit: "s",
      floor: undefined,
      detail: `API after ${((first?.apiMs ?? Number.NaN) / 1000).toFixed(2)} s`,
    },
  ];
}

const newPod = (name: string): New<Pod> => ({
  metadata: { name, namespace: "default", labels: { bench: "pod" } },
  spec: { containers: [{ name: "hello", image: "skiff/hello:1" }], terminationGracePeriodSeconds: 0 },
});

/** Whether the node has pods, or what is left of them. */
async function hasPods(folder: string): Promise<boolean> {
  const tasks = join(stateFolder({ root: join(folder, "bench") }), "state/io.containerd.runtime.v2.task/k8s.io");
  const left = await Promise.all(
    [join(folder, "bench/kubelet/pods"), tasks].map((path) => readdir(path).catch(() => [])),
  );
  return left.flat().length > 0;
}

async function podRows(client: Client, folder: string): Promise<BenchRow[]> {
  await using informers = createInformers({ client, clock: systemClock, random: systemRandom, logger: silentLogger });
  const pods = informers.for(Pods);
  await pods.whenSynced(never);
  const running = (names: ReadonlySet<string>) =>
    new Promise<number>((resolve) => {
      const waiting = new Set(names);
      const subscription = pods.onChange(({ kind, object }) => {
        if (kind === "deleted" || object.status?.phase !== "Running") return;
        waiting.delete(object.metadata.name);
        if (waiting.size > 0) return;
        resolve(performance.now());
        queueMicrotask(() => subscription[Symbol.dispose]());
      });
    });
  // Without grace, pods are gone from the API before the node has taken them away: it is to be at rest when more are made.
  const gone = async () => {
    while (pods.list("default").some((pod) => !isPodTerminal(pod)) || (await hasPods(folder)))
      await systemClock.sleep(50, never);
  };
  const clear = async () => {
    for (const { metadata } of pods.list("default")) {
      await client.delete(Pods, metadata, { gracePeriodSeconds: 0, signal: never }).catch(() => {});
    }
    await gone();
  };
  const singles: number[] = [];
  for (let turn = 1; turn <= singlePods; turn++) {
    process.stderr.write(`cluster: pod ${turn} of ${singlePods}\n`);
    const name = `one-${turn}`;
    const done = running(new Set([name]));
    const startMs = performance.now();
    await client.create(Pods, newPod(name), { signal: never });
    singles.push((await done) - startMs);
    await client.delete(Pods, { name, namespace: "default" }, { gracePeriodSeconds: 0, signal: never });
    await gone();
  }
  const bulks: number[] = [];
  for (let turn = 1; turn <= 3; turn++) {
    process.stderr.write(`cluster: ${bulkPods} pods at once, turn ${turn} of 3\n`);
    const names = Array.from({ length: bulkPods }, (_, index) => `many-${turn}-${index}`);
    const done = running(new Set(names));
    const startMs = performance.now();
    await Promise.all(names.map((name) => client.create(Pods, newPod(name), { signal: never })));
    bulks.push(((await done) - startMs) / 1000);
    await clear();
  }
  return [
    {
      what: "pod: create to Running, image present",
      value: Math.round(median(singles)),
      unit: "ms",
      floor: undefined,
      ceiling: 400,
      detail: spread(singles, 0),
    },
    {
      what: `${bulkPods} pods at once, all Running`,
      value: median(bulks),
      unit: "s",
      floor: undefined,
      ceiling: 6,
      detail: spread(bulks, 2),
    },
  ];
}

async function idleRows(client: Client, skiff: (...words: readonly string[]) => Promise<string>): Promise<BenchRow[]> {
  await Promise.all(
    Array.from({ length: 10 }, (_, index) => client.create(Pods, newPod(`idle-${index}`), { signal: never })),
  );
  process.stderr.write(`cluster: idle with 10 pods for ${2 * (idleMs / 1000)} s\n`);
  await systemClock.sleep(idleMs, never);
  const processes = async (): Promise<readonly StatusProcess[]> => JSON.parse(await skiff("status")).processes;
  const before = await cpuOf(await processes());
  await systemClock.sleep(idleMs, never);
  const now = await processes();
  const used = (await cpuOf(now)) - before;
  const resident = (name: string) => (now.find((one) => one.name === name)?.residentBytes ?? 0) / 2 ** 20;
  const megabytes = resident("server") + resident("agent");
  const others = ["containerd", "supervisor"].map((name) => `${name} ${Math.round(resident(name))}`).join(", ");
  return [
    {
      what: "idle, 10 pods: resident memory of server + agent",
      value: Math.round(megabytes),
      unit: "MiB",
      floor: undefined,
      ceiling: 238,
      detail: `server ${Math.round(resident("server"))}, agent ${Math.round(resident("agent"))}; ${others}`,
    },
    {
      what: "idle, 10 pods: CPU of server + agent + containerd",
      value: Number(((100 * used) / (idleMs / 1000)).toFixed(2)),
      unit: "% of a core",
      floor: undefined,
      ceiling: 3,
      detail: `over ${idleMs / 1000} s`,
    },
  ];
}

/** CPU seconds that the processes of interest have used so far. */
export async function cpuOf(
  processes: readonly StatusProcess[],
  names: readonly string[] = ["server", "agent", "containerd"],
): Promise<number> {
  let ticks = 0;
  for (const { name, pid } of processes) {
    if (!names.includes(name)) continue;
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

/** What a command writes; rejects when it fails. */
export function output(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.on("error", reject);
  child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`${args.join(" ")}: exit code ${code}`))));
  return promise;
}
