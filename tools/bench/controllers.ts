/** Measures the controllers: in process on virtual time, where only work takes time; and at rest, in a simulated cluster. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CronJob, CronJobs, type Deployment, Deployments, Jobs, type New } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { createClient, httpsTransport, loadKubeconfig } from "@skiff/client";
import { type PodScripts, TestCluster } from "@skiff/testing";
import { cpuOf, launcher, output } from "./cluster.ts";
import { type BenchRow, median, spread } from "./row.ts";

const never = new AbortController().signal;
const replicas = 1000;
const rollouts = 3;
const cronJobs = 100;
const cronMinutes = 60;
const idleDeployments = 10_000;
const idleMs = 30_000;
/** After so many creations the server tidies up for a while. */
const settleMs = 90_000;

/** Runs all of the controllers' figures. */
export async function benchControllers(): Promise<BenchRow[]> {
  return [await scaleRow(), await cronRow(), await idleRow()];
}

const deployment = (name: string, count: number): New<Deployment> => ({
  metadata: { name, namespace: "default" },
  spec: {
    replicas: count,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "skiff/hello:1" }] } },
  },
});

async function scaleRow(): Promise<BenchRow> {
  const times: number[] = [];
  for (let turn = 1; turn <= rollouts; turn++) {
    process.stderr.write(`controllers: 0 to ${replicas} replicas, turn ${turn} of ${rollouts}\n`);
    const scripts: PodScripts = () => ({ kind: "runs", startMs: 0, readyMs: 0 });
    await using cluster = await TestCluster.start({ nodes: 20, scripts });
    const { client } = cluster;
    await client.create(Deployments, deployment("web", 0), { signal: never });
    await cluster.advance(1000);
    const ref = { namespace: "default", name: "web" };
    const startMs = performance.now();
    await client.patch(Deployments, ref, { spec: { replicas } }, { type: "merge", signal: never });
    await cluster.eventually(
      async () => (await client.get(Deployments, ref, { signal: never })).status.readyReplicas === replicas,
      { withinMs: 10 * 60_000 },
    );
    times.push((performance.now() - startMs) / 1000);
  }
  return {
    what: `Deployment 0 → ${replicas} on simulated nodes, all Ready`,
    value: median(times),
    unit: "s",
    floor: undefined,
    ceiling: 5,
    detail: `${spread(times, 2)}; work alone, on virtual time`,
  };
}

async function cronRow(): Promise<BenchRow> {
  process.stderr.write(`controllers: ${cronMinutes} virtual minutes of ${cronJobs} CronJobs\n`);
  const scripts: PodScripts = () => ({ kind: "ends", startMs: 100, endMs: 1000, exitCode: 0 });
  await using cluster = await TestCluster.start({ nodes: 5, scripts });
  const { client } = cluster;
  const podSpec = { restartPolicy: "Never", containers: [{ name: "main", image: "skiff/hello:1" }] };
  for (let at = 0; at < cronJobs; at++) {
    const cron: New<CronJob> = {
      metadata: { name: `cron-${at}`, namespace: "default" },
      spec: { schedule: "* * * * *", jobTemplate: { spec: { template: { spec: podSpec } } } },
    };
    await client.create(CronJobs, cron, { signal: never });
  }
  /** Each write makes one revision. */
  const revision = async () =>
    Number((await client.list(Jobs, { namespace: "default", limit: 1, signal: never })).metadata.resourceVersion);
  const firstRevision = await revision();
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  for (let minute = 0; minute < cronMinutes; minute++) await cluster.advance(60_000);
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuMs = (user + system) / 1000;
  const { items } = await client.list(Jobs, { namespace: "default", signal: never });
  const jobs = cronJobs * cronMinutes;
  const writes = (await revision()) - firstRevision;
  const costs = `${(cpuMs / jobs).toFixed(2)} ms of CPU a Job, ${(cpuMs / writes).toFixed(2)} ms a write, ${(writes / jobs).toFixed(1)} writes a Job`;
  return {
    what: `a virtual day of ${cronJobs} CronJobs, each every minute`,
    value: seconds * ((24 * 60) / cronMinutes),
    unit: "s",
    floor: undefined,
    ceiling: 60,
    detail: `from ${cronMinutes} minutes in ${seconds.toFixed(2)} s (${Math.round(jobs / seconds)} Jobs/s): ${costs}; ${items.length} Jobs kept`,
  };
}

async function idleRow(): Promise<BenchRow> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-bench-"));
  const environment = { ...process.env, KUBECONFIG: join(folder, "kubeconfig") };
  const skiff = (...words: readonly string[]) =>
    output(process.execPath, [launcher, ...words, "--home", folder, "--name", "bench", "-o", "json"], environment);
  try {
    await skiff("up", "--runtime", "simulated");
    const access = loadKubeconfig(await readFile(environment.KUBECONFIG, "utf8"));
    await using transport = httpsTransport({ ...access, clock: systemClock });
    const client = createClient(transport);
    for (let at = 0; at < idleDeployments; at += 100) {
      const names = Array.from({ length: 100 }, (_, index) => `web-${at + index}`);
      await Promise.all(names.map((name) => client.create(Deployments, deployment(name, 0), { signal: never })));
      if (at % 1000 === 0) process.stderr.write(`controllers: ${at} of ${idleDeployments} Deployments\n`);
    }
    await systemClock.sleep(settleMs, never);
    const server = async () => JSON.parse(await skiff("status")).processes;
    const before = await cpuOf(await server(), ["server"]);
    await systemClock.sleep(idleMs, never);
    const used = (await cpuOf(await server(), ["server"])) - before;
    return {
      what: `${idleDeployments} Deployments idle: CPU of the server`,
      value: Number(((100 * used) / (idleMs / 1000)).toFixed(2)),
      unit: "% of a core",
      floor: undefined,
      ceiling: 2,
      detail: `over ${idleMs / 1000} s`,
    };
  } finally {
    await skiff("delete").catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}
