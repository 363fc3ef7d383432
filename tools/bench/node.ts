/**
 * `npm run bench -- node`: what a real node adds to its runtime's own work, how soon it tells of an end, and what a hundred
 * pods cost. The runtime's own calls are measured beside it, in the same minutes.
 */
import { join } from "node:path";
import { type New, type Pod, Pods } from "@skiff/api";
import { silentLogger, systemClock, systemRandom } from "@skiff/base";
import { createInformers, type Informer } from "@skiff/client";
import { SystemCgroups } from "@skiff/host";
import { BarePods } from "./bare-pods.ts";
import { BenchCluster } from "./bench-cluster.ts";
import { execTrue } from "./exec-true.ts";
import { podTraces } from "./pod-traces.ts";
import { type BenchRow, median, spread } from "./row.ts";

const turns = 20;
const many = 100;
const idleMs = 30_000;
const never = new AbortController().signal;
const namespace = "default";
const say = (text: string) => process.stderr.write(`node: ${text}\n`);

const podNamed = (name: string, spec: Partial<Pod["spec"]> = {}): New<Pod> => ({
  metadata: { name, namespace },
  spec: { containers: [{ name: "hello", image: "skiff/hello:1" }], terminationGracePeriodSeconds: 0, ...spec },
});

/** Resolves with the time at which all pods of some names first were as asked. */
function allAre(pods: Informer<Pod>, names: readonly string[], good: (pod: Pod) => boolean): Promise<number> {
  const waiting = new Set(names);
  const { promise, resolve } = Promise.withResolvers<number>();
  const subscription = pods.onChange(({ kind, object }) => {
    if (kind === "deleted" || !good(object) || !waiting.delete(object.metadata.name) || waiting.size > 0) return;
    resolve(performance.now());
    queueMicrotask(() => subscription[Symbol.dispose]());
  });
  return promise;
}

const isRunning = (pod: Pod): boolean => pod.status?.phase === "Running";

/** Runs all figures of a node; needs root on Linux. */
export async function benchNode(): Promise<BenchRow[]> {
  await using cluster = await BenchCluster.up();
  const { client } = cluster;
  await using informers = createInformers({ client, clock: systemClock, random: systemRandom, logger: silentLogger });
  const pods = informers.for(Pods);
  await pods.whenSynced(never);
  const rows = [await startRow(cluster, pods), await exitRow(cluster, pods), await execRow(cluster, pods)];
  return [...rows, ...(await manyRows(cluster, pods))];
}

const barePods = async (cluster: BenchCluster): Promise<BarePods> =>
  new BarePods(cluster.runtime, { folder: join(cluster.folder, "bare-logs"), cgroup: await cluster.cgroup() });

async function remove({ client }: BenchCluster, pods: Informer<Pod>, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map((name) => client.delete(Pods, { name, namespace }, { gracePeriodSeconds: 0, signal: never })),
  );
  while (pods.list(namespace).some((pod) => names.includes(pod.metadata.name))) await systemClock.sleep(10, never);
}

async function startRow(cluster: BenchCluster, pods: Informer<Pod>): Promise<BenchRow> {
  say(`${turns} pods, and ${turns} straight in the runtime`);
  const bare = await barePods(cluster);
  const [whole, own]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < turns; turn++) {
    own.push(await bare.start());
    const name = `one-${turn}`;
    const running = allAre(pods, [name], isRunning);
    const startMs = performance.now();
    await cluster.client.create(Pods, podNamed(name), { signal: never });
    whole.push((await running) - startMs);
    await remove(cluster, pods, [name]);
    await noSandboxes(cluster, 1);
    await bare.clear();
  }
  return {
    what: "node: pod start above the runtime's own calls",
    value: Math.round(median(whole) - median(own)),
    unit: "ms",
    floor: undefined,
    ceiling: 50,
    detail: `${Math.round(median(whole))} against ${Math.round(median(own))} ms; ${spread(whole, 0)}`,
  };
}

/** Waits until the runtime has no more than so many sandboxes: cheap to ask, so that asking does not slow it down. */
async function noSandboxes({ runtime }: BenchCluster, most = 0): Promise<void> {
  while ((await runtime.listPodSandboxes(never)).length > most) await systemClock.sleep(20, never);
}

async function exitRow(cluster: BenchCluster, pods: Informer<Pod>): Promise<BenchRow> {
  say(`${turns} ends of containers`);
  const cgroups = new SystemCgroups();
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const name = `ends-${turn}`;
    const running = allAre(pods, [name], isRunning);
    const spec = { containers: [{ name: "main", image: "skiff/hello:1", command: ["sleep", "3600"] }] };
    await cluster.client.create(Pods, podNamed(name, { ...spec, restartPolicy: "Never" }), { signal: never });
    await running;
    const pod = pods.get(name, namespace);
    const [, id = ""] = pod?.status?.containerStatuses?.[0]?.containerID?.split("//") ?? [];
    const group = `${await cluster.cgroup()}/besteffort/pod${pod?.metadata.uid}/${id}`;
    const pids = await cgroups.processes(group);
    const ended = allAre(pods, [name], (one) => one.status?.containerStatuses?.[0]?.state?.terminated !== undefined);
    const startMs = performance.now();
    for (const pid of pids) process.kill(pid, "SIGKILL");
    times.push((await ended) - startMs);
    await remove(cluster, pods, [name]);
  }
  return {
    what: "node: a container's end to the pod's status",
    value: Math.round(median(times)),
    unit: "ms",
    floor: undefined,
    ceiling: 50,
    detail: spread(times, 0),
  };
}

async function execRow(cluster: BenchCluster, pods: Informer<Pod>): Promise<BenchRow> {
  say(`${turns} times exec`);
  const running = allAre(pods, ["exec"], isRunning);
  await cluster.client.create(Pods, podNamed("exec"), { signal: never });
  await running;
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const startMs = performance.now();
    await execTrue(cluster.access, `/api/v1/namespaces/${namespace}/pods/exec/exec`);
    times.push(performance.now() - startMs);
  }
  await remove(cluster, pods, ["exec"]);
  return {
    what: "node: exec of true over WebSocket",
    value: Math.round(median(times)),
    unit: "ms",
    floor: undefined,
    ceiling: 200,
    detail: spread(times, 0),
  };
}

async function manyRows(cluster: BenchCluster, pods: Informer<Pod>): Promise<BenchRow[]> {
  await noSandboxes(cluster);
  const before = await podTraces(cluster, await cluster.cgroup());
  say(`${many} pods at once, straight in the runtime`);
  const bare = await barePods(cluster);
  const bareStart = performance.now();
  await Promise.all(Array.from({ length: many }, () => bare.start()));
  const bareSeconds = (performance.now() - bareStart) / 1000;
  const bareClear = performance.now();
  await bare.clear();
  const bareGoneSeconds = (performance.now() - bareClear) / 1000;
  say(`${many} pods at once`);
  const names = Array.from({ length: many }, (_, index) => `many-${index}`);
  const used = await cpuSince(cluster);
  const running = allAre(pods, names, isRunning);
  const startMs = performance.now();
  await Promise.all(names.map((name) => cluster.client.create(Pods, podNamed(name), { signal: never })));
  const seconds = ((await running) - startMs) / 1000;
  const startCpu = await used();
  const idle = await idleRows(cluster);
  say(`${many} pods go`);
  const usedAgain = await cpuSince(cluster);
  const goneMs = performance.now();
  await remove(cluster, pods, names);
  await noSandboxes(cluster);
  for (;;) {
    const now = await podTraces(cluster, await cluster.cgroup());
    if (now.every((one) => before.includes(one))) break;
    if (performance.now() - goneMs > 120_000)
      throw new Error(`left behind: ${now.filter((one) => !before.includes(one)).join(", ")}`);
    await systemClock.sleep(50, never);
  }
  const goneSeconds = (performance.now() - goneMs) / 1000;
  const goneCpu = await usedAgain();
  return [
    {
      what: `node: ${many} pods at once, all Running`,
      value: seconds,
      unit: "s",
      floor: undefined,
      ceiling: 15,
      detail: `the runtime alone ${bareSeconds.toFixed(1)} s; CPU ${startCpu}`,
    },
    ...idle,
    {
      what: `node: ${many} pods deleted without grace, nothing left`,
      value: goneSeconds,
      unit: "s",
      floor: undefined,
      ceiling: 10,
      detail: `the runtime alone ${bareGoneSeconds.toFixed(1)} s; CPU ${goneCpu}`,
    },
  ];
}

/** CPU seconds that each process uses from now on, as text. */
async function cpuSince(cluster: BenchCluster): Promise<() => Promise<string>> {
  const watched = ["agent", "server", "containerd"];
  const read = () => Promise.all(watched.map((name) => cluster.cpuSeconds(name)));
  const before = await read();
  return async () => {
    const now = await read();
    return watched.map((name, at) => `${name} ${((now[at] ?? 0) - (before[at] ?? 0)).toFixed(1)} s`).join(", ");
  };
}

async function idleRows(cluster: BenchCluster): Promise<BenchRow[]> {
  say(`idle with ${many} pods for ${2 * (idleMs / 1000)} s`);
  await systemClock.sleep(idleMs, never);
  const before = await cluster.cpuSeconds("agent");
  await systemClock.sleep(idleMs, never);
  const used = (await cluster.cpuSeconds("agent")) - before;
  const { processes } = await cluster.told();
  const resident = processes.find((one) => one.name === "agent")?.residentBytes ?? Number.NaN;
  return [
    {
      what: `node: agent with ${many} pods, idle: CPU`,
      value: Number(((100 * used) / (idleMs / 1000)).toFixed(2)),
      unit: "% of a core",
      floor: undefined,
      ceiling: 2,
      detail: `over ${idleMs / 1000} s`,
    },
    {
      what: `node: agent with ${many} pods, idle: memory`,
      value: Math.round(resident / 1e6),
      unit: "MB",
      floor: undefined,
      ceiling: 150,
      detail: "resident",
    },
  ];
}
