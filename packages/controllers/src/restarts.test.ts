/**
 * Parts of the cluster are stopped and started in the middle of anything, while pods are killed, templates change and a little
 * goes wrong besides. The seed says all that happens, so a seed that fails does so again: `SKIFF_SEEDS=17 npm test -- restarts`;
 * `SKIFF_SEEDS=1-200` looks for one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CronJobs,
  DaemonSets,
  Deployments,
  isConflict,
  isNotFound,
  Jobs,
  Pods,
  ReplicaSets,
  StatefulSets,
  StatusError,
} from "@skiff/api";
import { seededRandom } from "@skiff/base";
import { type Component, TestCluster } from "@skiff/testing";
import { assertCompanions, makeWorkloads, orphans, replicas, wrongsOf } from "./fixtures/busy-cluster.ts";

const parts: readonly Component[] = ["controllers", "scheduler", "api-server"];
const rain = { conflicts: 0.1, unavailable: 0.08, droppedWatches: 0.06, expiredWatches: 0.05 };
const steps = 40;
/** Heartbeats of nodes keep the one going; the other counts anew every five minutes. */
const beating: ReadonlySet<string> = new Set(["node-lifecycle", "resource-quota"]);

function seeds(): readonly number[] {
  const [first = 1, last = first] = (process.env.SKIFF_SEEDS ?? "1-3").split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

interface Chance {
  next(): number;
}

const pick = <T>(of: readonly T[], { next }: Chance): T | undefined => of[Math.floor(next() * of.length)];

/** One thing that somebody does. */
async function act({ client, signal }: TestCluster, chance: Chance): Promise<void> {
  const dice = chance.next();
  if (dice < 0.5) {
    const pod = pick((await client.list(Pods, { namespace: "default", signal })).items, chance);
    if (pod !== undefined) await client.delete(Pods, pod.metadata, { signal });
    return;
  }
  const image = `i${Math.floor(chance.next() * 3)}`;
  const patch = (name: string) => ({ spec: { template: { spec: { containers: [{ name, image }] } } } });
  const ref = (name: string) => ({ namespace: "default", name });
  const options = { type: "strategic", signal } as const;
  if (dice < 0.7) await client.patch(Deployments, ref("web"), patch("web"), options);
  else if (dice < 0.85) await client.patch(StatefulSets, ref("data"), patch("data"), options);
  else await client.patch(DaemonSets, ref("agent"), patch("agent"), options);
}

const isWeather = (error: unknown): boolean =>
  isNotFound(error) || isConflict(error) || (error instanceof StatusError && error.code >= 500);

async function happens(cluster: TestCluster, chance: Chance): Promise<void> {
  const part = chance.next() < 0.5 ? pick(parts, chance) : undefined;
  if (part !== undefined) await cluster.stop(part);
  await cluster.advance(chance.next() * 2_000);
  await act(cluster, chance).catch((error: unknown) => {
    if (!isWeather(error)) throw error;
  });
  if (part !== undefined) await cluster.start(part);
  await cluster.advance(chance.next() * 10_000);
}

async function assertDone(cluster: TestCluster): Promise<void> {
  const { client, signal, nodes } = cluster;
  const ref = (name: string) => ({ namespace: "default", name });
  const web = (await client.get(Deployments, ref("web"), { signal })).status;
  const all = replicas.deployment;
  assert.deepEqual([web.replicas, web.updatedReplicas, web.availableReplicas], [all, all, all]);
  const data = (await client.get(StatefulSets, ref("data"), { signal })).status;
  assert.deepEqual([data.replicas, data.updatedReplicas, data.availableReplicas], Array(3).fill(replicas.statefulSet));
  const agent = (await client.get(DaemonSets, ref("agent"), { signal })).status;
  assert.deepEqual([agent.updatedNumberScheduled, agent.numberAvailable], [nodes.length, nodes.length]);
  const { succeeded, conditions = [] } = (await client.get(Jobs, ref("work"), { signal })).status;
  assert.deepEqual([succeeded, conditions.at(-1)?.type], [12, "Complete"]);
  for (const job of (await client.list(Jobs, { namespace: "default", signal })).items) {
    assert.equal(job.status.conditions?.at(-1)?.type, "Complete", job.metadata.name);
    assert.deepEqual(job.status.uncountedTerminatedPods, {}, job.metadata.name);
  }
  assert.deepEqual(await orphans(cluster), []);
  await assertCompanions(cluster);
}

const scripts = ({ spec }: { spec: { restartPolicy?: string | undefined } }) =>
  spec.restartPolicy === "Never"
    ? ({ kind: "ends", startMs: 100, endMs: 1500, exitCode: 0 } as const)
    : ({ kind: "runs", startMs: 100, readyMs: 300 } as const);

/** Has workloads go through what happens, and sees to it that everything is as asked for in the end, and never was too much. */
async function weather(seed: number, happen: (cluster: TestCluster, chance: Chance) => Promise<void>): Promise<void> {
  await using cluster = await TestCluster.start({ nodes: 3, seed, faults: rain, scripts });
  const { client, informers, signal } = cluster;
  const pods = informers.for(Pods);
  const sets = informers.for(ReplicaSets);
  const wrongs = new Set<string>();
  const look = () => {
    for (const wrong of wrongsOf(pods.list(), sets.list())) wrongs.add(wrong);
  };
  using _pods = pods.onChange(look);
  using _sets = sets.onChange(look);
  await makeWorkloads(cluster);
  await happen(cluster, seededRandom(seed * 7919));
  cluster.setFaults();
  const tick = { namespace: "default", name: "tick" };
  await client.patch(CronJobs, tick, { spec: { suspend: true } }, { type: "merge", signal });
  await cluster.eventually(() => assertDone(cluster), { withinMs: 1_800_000 });
  assert.deepEqual([...wrongs], []);
  const worked = () =>
    cluster
      .stats()
      .filter(({ name }) => !beating.has(name))
      .map(({ name, succeeded, failed }) => `${name} ${succeeded} ${failed}`);
  await cluster.advance(600_000);
  const before = worked();
  await cluster.advance(5_000);
  assert.deepEqual(worked(), before, "no loop keeps itself busy");
}

/** Somebody does something while a controller is away; then it is back, and has a while. */
async function without(cluster: TestCluster, controller: string, chance: Chance): Promise<void> {
  await cluster.stopController(controller);
  assert.ok(!cluster.stats().some(({ name }) => name === controller));
  await cluster.advance(chance.next() * 2_000);
  await act(cluster, chance).catch((error: unknown) => {
    if (!isWeather(error)) throw error;
  });
  cluster.startController(controller);
  await cluster.advance(chance.next() * 5_000);
}

for (const seed of seeds()) {
  test(`parts that stop and start in the middle of anything leave nothing undone and nothing done twice (seed ${seed})`, () =>
    weather(seed, async (cluster, chance) => {
      for (let step = 0; step < steps; step++) await happens(cluster, chance);
    }));

  test(`so does each controller that stops and starts alone (seed ${seed})`, () =>
    weather(seed, async (cluster, chance) => {
      const left = new Set(cluster.stats().map(({ name }) => name));
      assert.ok(left.has("replica-set") && left.has("garbage-collector"));
      for (let name = pick([...left], chance); name !== undefined; name = pick([...left], chance)) {
        left.delete(name);
        await without(cluster, name, chance);
        assert.ok(cluster.stats().some((one) => one.name === name));
      }
    }));
}
