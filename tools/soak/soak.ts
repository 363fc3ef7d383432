/**
 * Makes and deletes many pods on a real node while its agent and its containerd are killed again and again, and looks
 * whether anything of them is left afterwards. Seeded: the same seed gives the same pods and kills, if not the same moments.
 */
import { ConfigMaps, isAlreadyExists, isNotFound, type Pod, Pods, Secrets } from "@skiff/api";
import { Background, describeError, type Random, seededRandom, silentLogger, systemClock } from "@skiff/base";
import { createInformers, type Informer } from "@skiff/client";
import { systemProcesses } from "@skiff/host";
import { BenchCluster } from "../bench/bench-cluster.ts";
import { podTraces } from "../bench/pod-traces.ts";
import { machineTraces } from "./machine-traces.ts";
import { soakPod } from "./soak-pods.ts";

const never = new AbortController().signal;
const namespace = "default";

export interface SoakOptions {
  readonly pods: number;
  readonly atOnce: number;
  readonly seed: number;
  /** Between two kills, about. */
  readonly killEveryMs: number;
  readonly say: (text: string) => void;
}

export interface SoakResult {
  readonly kills: number;
  /** Pods that came as far as to run, or to end; the others were deleted before. */
  readonly begun: number;
  /** What pods left on the node, once all were gone. Should be empty. */
  readonly leftOnNode: readonly string[];
  /** What the cluster left on the machine, once it was deleted. Should be empty. */
  readonly leftOnMachine: readonly string[];
}

/** Runs one soak on a cluster of its own. Needs root on Linux. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const machine = await machineTraces();
  const { folder, stateFolder, ...result } = await soakCluster(options);
  const after = await machineTraces();
  // Others use this machine too: only what bears the cluster's own names is its own.
  const ours = (trace: string) => trace.includes(folder) || trace.includes(stateFolder) || result.names.test(trace);
  return {
    kills: result.kills,
    begun: result.begun,
    leftOnNode: result.leftOnNode,
    leftOnMachine: after.filter((trace) => !machine.includes(trace) && ours(trace)),
  };
}

async function soakCluster(options: SoakOptions) {
  const { say, seed } = options;
  const random = seededRandom(seed);
  await using cluster = await BenchCluster.up();
  const { client, folder, stateFolder } = cluster;
  const cgroup = await cluster.cgroup();
  const before = await podTraces(cluster, cgroup);
  const metadata = { name: "soak", namespace };
  await client.create(ConfigMaps, { metadata, data: { key: "value" } }, { signal: never });
  await client.create(Secrets, { metadata, stringData: { word: "secret" } }, { signal: never });
  let kills = 0;
  let begun = 0;
  {
    await using informers = createInformers({ client, clock: systemClock, random, logger: silentLogger });
    const pods = informers.for(Pods);
    await pods.whenSynced(never);
    await using background = new Background({ logger: silentLogger });
    background.run("kills", async (signal) => {
      for (const chance = seededRandom(seed + 1); ; ) {
        await systemClock.sleep(options.killEveryMs * (0.5 + chance.next()), signal);
        kills += await kill(cluster, chance, say);
      }
    });
    begun = await makeAndDelete(pods, cluster, random, options);
  }
  say("all pods are deleted; looking for what is left");
  const leftOnNode = await remains(cluster, cgroup, before);
  return { folder, stateFolder, names: new RegExp(`${cgroup.replace("/kubepods-", "")}\\b`), kills, begun, leftOnNode };
}

/** Kills the agent, containerd or both, without warning. Gives how many. */
async function kill(cluster: BenchCluster, chance: Random, say: (text: string) => void): Promise<number> {
  const victims = [["agent"], ["containerd"], ["agent", "containerd"]][Math.floor(chance.next() * 3)] ?? [];
  const { processes } = await cluster.told();
  const pids = processes.filter(({ name }) => victims.includes(name)).map(({ pid }) => pid);
  for (const pid of pids) {
    const identity = systemProcesses.identify(pid);
    if (identity !== undefined) systemProcesses.signal(identity, "SIGKILL");
  }
  say(`killed ${victims.join(" and ")}`);
  return pids.length;
}

/** Keeps so many pods at once, each deleted at some moment of its life. Gives how many were seen to run or end. */
async function makeAndDelete(
  pods: Informer<Pod>,
  { client }: BenchCluster,
  random: Random,
  { pods: count, atOnce, say }: SoakOptions,
): Promise<number> {
  let next = 0;
  let begun = 0;
  const begins = (pod: Pod | undefined) => pod?.status?.phase !== undefined && pod.status.phase !== "Pending";
  const one = async (name: string): Promise<void> => {
    const pod = soakPod(name, random);
    const patienceMs = random.next() < 0.2 ? 3000 * random.next() : 600_000;
    const gracePeriodSeconds = random.next() < 0.5 ? 0 : 1;
    await persist(() => client.create(Pods, pod, { signal: never }), isAlreadyExists);
    const endMs = systemClock.monotonic() + patienceMs;
    while (!begins(pods.get(name, namespace)) && systemClock.monotonic() < endMs) await systemClock.sleep(100, never);
    if (begins(pods.get(name, namespace))) begun++;
    else if (patienceMs > 10_000)
      throw new Error(`pod ${name} did not begin: ${JSON.stringify(pods.get(name, namespace))}`);
    const remove = () => client.delete(Pods, { name, namespace }, { gracePeriodSeconds, signal: never });
    await persist(remove, isNotFound);
    while (pods.get(name, namespace) !== undefined) await systemClock.sleep(100, never);
  };
  const many = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      if (index % 50 === 0) say(`pod ${index} of ${count}`);
      await one(`soak-${index}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, many));
  return begun;
}

/** Repeats what may fail while something is down. */
async function persist(work: () => Promise<unknown>, isDone: (error: unknown) => boolean): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (isDone(error)) return;
      if (attempt === 20) throw new Error(`again and again: ${describeError(error)}`);
      await systemClock.sleep(500, never);
    }
  }
}

/** Waits until nothing of pods is left; gives what is left when that takes too long. */
async function remains(cluster: BenchCluster, cgroup: string, before: readonly string[]): Promise<readonly string[]> {
  const endMs = systemClock.monotonic() + 180_000;
  for (;;) {
    const left = (await podTraces(cluster, cgroup)).filter((trace) => !before.includes(trace));
    if (left.length === 0 || systemClock.monotonic() > endMs) return left;
    await systemClock.sleep(500, never);
  }
}
