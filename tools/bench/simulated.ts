/**
 * Measures a cluster with simulated nodes: a server process on the disk's store, as `skiff up --simulated-nodes` starts it,
 * used over HTTPS. Needs no root.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Deployments, type New, Nodes, type Pod, Pods } from "@skiff/api";
import { silentLogger, systemClock, systemRandom } from "@skiff/base";
import {
  type Client,
  createClient,
  createInformers,
  httpsTransport,
  type Informers,
  loadKubeconfig,
} from "@skiff/client";
import type { BenchRow } from "./row.ts";

const launcher = join(import.meta.dirname, "../../packages/cli/bin/skiff.js");
const nodes = 1_000;
const manyPods = 10_000;
const replicas = 1_000;
const mostPods = 20_000;
const inFlight = 64;
const idleMs = 20_000;
const never = new AbortController().signal;

const podSpec = {
  nodeSelector: { type: "kwok" },
  tolerations: [{ key: "kwok.x-k8s.io/node", operator: "Exists", effect: "NoSchedule" }],
  containers: [{ name: "c", image: "any" }],
};

/** Runs all figures of simulated nodes. */
export async function benchSimulated(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-bench-"));
  const environment = { ...process.env, KUBECONFIG: join(folder, "kubeconfig") };
  const skiff = (...words: readonly string[]) =>
    output([launcher, ...words, "--home", folder, "--name", "simulated", "-o", "json"], environment);
  try {
    await skiff("up", "--runtime", "simulated", "--simulated-nodes", String(nodes));
    await using transport = httpsTransport({
      ...loadKubeconfig(await readFile(environment.KUBECONFIG, "utf8")),
      clock: systemClock,
    });
    const client = createClient(transport);
    await using informers = createInformers({ client, clock: systemClock, random: systemRandom, logger: silentLogger });
    await nodesAreReady(informers);
    const server = async (): Promise<ServerProcess> =>
      JSON.parse(await skiff("status")).processes.find((one: { readonly name: string }) => one.name === "server");
    const on: Reach = { client, informers, server };
    return [await manyPodsRow(on), await deploymentRow(on), ...(await idleRows(on))];
  } finally {
    await skiff("delete").catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

interface ServerProcess {
  readonly pid: number;
  readonly residentBytes: number;
}

interface Reach {
  readonly client: Client;
  readonly informers: Informers;
  server(): Promise<ServerProcess>;
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;

async function nodesAreReady(informers: Informers): Promise<void> {
  const known = informers.for(Nodes);
  await known.whenSynced(never);
  while (known.list().length <= nodes) await systemClock.sleep(100, never);
}

/** Resolves when so many pods are Ready. Costs the same whatever the number of pods. */
function readyPods(informers: Informers, count: number): Promise<void> {
  return new Promise((resolve) => {
    const ready = new Set<string>();
    const subscription = informers.for(Pods).onChange(({ kind, object }) => {
      if (kind !== "deleted" && isReady(object)) ready.add(object.metadata.uid);
      else ready.delete(object.metadata.uid);
      if (ready.size < count) return;
      resolve();
      queueMicrotask(() => subscription[Symbol.dispose]());
    });
  });
}

async function createPods(client: Client, first: number, count: number): Promise<void> {
  let next = first;
  const work = async () => {
    while (next < first + count) {
      const pod: New<Pod> = { metadata: { name: `pod-${next++}`, namespace: "default" }, spec: podSpec };
      await client.create(Pods, pod, { signal: never });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

async function manyPodsRow({ client, informers, server }: Reach): Promise<BenchRow> {
  process.stderr.write(`simulated: ${manyPods} pods on ${nodes} nodes\n`);
  await informers.for(Pods).whenSynced(never);
  const { pid } = await server();
  const before = await cpuSeconds(pid);
  const startMs = performance.now();
  const done = readyPods(informers, manyPods);
  await createPods(client, 0, manyPods);
  const createdMs = performance.now() - startMs;
  await done;
  const tookMs = performance.now() - startMs;
  const used = (await cpuSeconds(pid)) - before;
  return {
    what: `${manyPods} simulated pods, created to Ready`,
    value: tookMs / 1000,
    unit: "s",
    floor: undefined,
    ceiling: 15,
    detail: `${nodes} nodes; all created after ${(createdMs / 1000).toFixed(1)} s; the server took ${used.toFixed(1)} s of CPU; 1 run`,
  };
}

async function deploymentRow({ client, informers }: Reach): Promise<BenchRow> {
  process.stderr.write(`simulated: a Deployment of ${replicas}\n`);
  const metadata = { name: "web", namespace: "default" };
  const template = { metadata: { labels: { app: "web" } }, spec: podSpec };
  const spec = { replicas: 0, selector: { matchLabels: { app: "web" } }, template };
  await client.create(Deployments, { metadata, spec }, { signal: never });
  await systemClock.sleep(1_000, never);
  const done = new Promise<void>((resolve) => {
    const subscription = informers.for(Deployments).onChange(({ object }) => {
      if (object.status?.readyReplicas !== replicas) return;
      resolve();
      queueMicrotask(() => subscription[Symbol.dispose]());
    });
  });
  const startMs = performance.now();
  await client.setScale(Deployments, metadata, replicas, { signal: never });
  await done;
  return {
    what: `a Deployment scaled from 0 to ${replicas} on simulated nodes, all Ready`,
    value: (performance.now() - startMs) / 1000,
    unit: "s",
    floor: undefined,
    ceiling: 5,
    detail: `beside ${manyPods} other pods; 1 run`,
  };
}

async function idleRows({ client, informers, server }: Reach): Promise<BenchRow[]> {
  const done = readyPods(informers, mostPods);
  await createPods(client, manyPods, mostPods - manyPods - replicas);
  await done;
  process.stderr.write(`simulated: idle with ${mostPods} pods for ${(2 * idleMs) / 1000} s\n`);
  await systemClock.sleep(idleMs, never);
  const before = await cpuSeconds((await server()).pid);
  await systemClock.sleep(idleMs, never);
  const { pid, residentBytes } = await server();
  const used = (await cpuSeconds(pid)) - before;
  const what = `${mostPods} pods on ${nodes} simulated nodes, idle`;
  return [
    {
      what: `${what}: CPU of the server`,
      value: Number(((100 * used) / (idleMs / 1000)).toFixed(1)),
      unit: "% of a core",
      floor: undefined,
      detail: `over ${idleMs / 1000} s`,
    },
    {
      what: `${what}: resident memory of the server`,
      value: Math.round(residentBytes / 2 ** 20),
      unit: "MiB",
      floor: undefined,
      detail: "1 run",
    },
  ];
}

/** CPU seconds that a process has used so far. */
async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function output(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.on("error", reject);
  child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`${args.join(" ")}: exit code ${code}`))));
  return promise;
}
