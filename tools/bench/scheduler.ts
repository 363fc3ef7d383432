/**
 * How fast pods get their nodes: API server on the durable store, informers and scheduler in one process, as in `skiff server`; the
 * pods are created through the API by the same process. Counted from the first create until the last pod is bound.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Namespaces,
  type New,
  Nodes,
  type Pod,
  Pods,
  PriorityClasses,
  ServiceAccounts,
} from "../../packages/api/src/index.ts";
import { adminUser, testServer } from "../../packages/apiserver/src/fixtures/test-server.ts";
import { seededRandom, silentLogger, systemClock } from "../../packages/base/src/index.ts";
import {
  type Client,
  createClient,
  createEventRecorder,
  createInformers,
  type Informer,
} from "../../packages/client/src/index.ts";
import { Scheduler } from "../../packages/scheduler/src/index.ts";
import { openLmdbStore } from "../../packages/store/src/index.ts";
import type { BenchRow } from "./row.ts";

const nodeCount = 5_000;
/** What a decision costs is compared with that of a cluster so much smaller. */
const fewNodes = 500;
/** Of ten times the nodes, twice as many are compared for each pod, as Kubernetes has it. */
const mostGrowth = 2;
const zones = 10;
const inFlight = 128;
const never = new AbortController().signal;

interface Scenario {
  readonly what: string;
  readonly floor: number;
  readonly pods: number;
  readonly spec: Partial<Pod["spec"]>;
  /** Pods per node that are there before. */
  readonly fill?: number;
}

const labelSelector = { matchLabels: { app: "bench" } };
const zoneKey = "topology.kubernetes.io/zone";
const hostKey = "kubernetes.io/hostname";
const term = (topologyKey: string) => [{ topologyKey, labelSelector }];
const scenarios: readonly Scenario[] = [
  { what: "10,000 plain pods", floor: 1_000, pods: 10_000, spec: {} },
  {
    what: "10,000 pods with required topology spread",
    floor: 600,
    pods: 10_000,
    spec: {
      topologySpreadConstraints: [
        { topologyKey: zoneKey, maxSkew: 5, whenUnsatisfiable: "DoNotSchedule", labelSelector },
      ],
    },
  },
  {
    what: "5,000 pods with required anti-affinity by host",
    floor: 300,
    pods: 5_000,
    spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: term(hostKey) } } },
  },
  {
    what: "5,000 pods with required affinity by zone",
    floor: 300,
    pods: 5_000,
    spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: term(zoneKey) } } },
  },
  {
    what: "5,000 pods by preemption, all nodes full",
    floor: 600,
    pods: 5_000,
    spec: { priorityClassName: "urgent" },
    fill: 4,
  },
];

/** Measures each scenario on a cluster of its own. */
export async function benchScheduler(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const scenario of scenarios) {
    process.stderr.write(`scheduler: ${scenario.what}\n`);
    const taken = await run(scenario, nodeCount);
    const { seconds, cpuSeconds } = taken;
    process.stderr.write(`scheduler: ${Math.round(scenario.pods / seconds)}/s, ${cpuSeconds.toFixed(1)} s of CPU\n`);
    rows.push({
      what: `${scenario.what} on ${nodeCount.toLocaleString("en")} nodes, created to bound`,
      value: Math.round(scenario.pods / seconds),
      unit: "/s",
      floor: scenario.floor,
      detail: `${seconds.toFixed(1)} s; one process for all, ${cpuText(taken, scenario.pods)}`,
    });
  }
  rows.push(await growthRow());
  return rows;
}

/** Whether the work for a pod grows with the cluster. CPU is compared: that does not depend on what else the machine does. */
async function growthRow(): Promise<BenchRow> {
  process.stderr.write(`scheduler: the same on ${fewNodes} and on ${nodeCount} nodes\n`);
  const plain: Scenario = { what: "", floor: 0, pods: 10_000, spec: {} };
  const few = await run(plain, fewNodes);
  const many = await run(plain, nodeCount);
  const onEach = `${millis(many.cpuSeconds / plain.pods)} ms of CPU a pod against ${millis(few.cpuSeconds / plain.pods)} ms`;
  return {
    what: `CPU for 10,000 plain pods on ${nodeCount.toLocaleString("en")} nodes against ${fewNodes}`,
    value: Number((many.cpuSeconds / few.cpuSeconds).toFixed(2)),
    unit: "times",
    floor: undefined,
    ceiling: mostGrowth,
    detail: `${onEach}; ${Math.round(plain.pods / many.seconds)}/s against ${Math.round(plain.pods / few.seconds)}/s`,
  };
}

/** What of it the main thread took bounds the speed of a machine that does nothing else. */
const cpuText = ({ cpuSeconds, mainSeconds }: Taken, pods: number): string =>
  `${millis(cpuSeconds / pods)} ms of CPU a pod, ${millis(mainSeconds / pods)} ms of it on the main thread`;

const millis = (seconds: number): string => (seconds * 1000).toFixed(2);

interface Taken {
  readonly seconds: number;
  /** User and system time of the process, all its threads: what load of other processes does not change. */
  readonly cpuSeconds: number;
  readonly mainSeconds: number;
}

async function run(scenario: Scenario, nodes: number): Promise<Taken> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-bench-scheduler-"));
  try {
    await using store = await openLmdbStore({ folder, clock: systemClock, logger: silentLogger });
    await using server = await testServer({ logger: silentLogger, store });
    const client = createClient(server.transport(adminUser));
    const parts = { client, clock: systemClock, random: seededRandom(1), logger: silentLogger };
    await using informers = createInformers(parts);
    await using recorder = createEventRecorder({ ...parts, component: "default-scheduler" });
    await client.create(Namespaces, { metadata: { name: "default" } }, { signal: never });
    await client.create(ServiceAccounts, { metadata: { name: "default", namespace: "default" } }, { signal: never });
    const urgent = { metadata: { name: "urgent" }, value: 100 };
    await client.create(PriorityClasses, urgent, { signal: never });
    await inParallel(nodes, (index) => createNode(client, index));
    const full = nodes * (scenario.fill ?? 0);
    const low = { priority: 0, terminationGracePeriodSeconds: 0 };
    await inParallel(full, async (index) => {
      const spec = { ...low, nodeName: `node-${index % nodes}` };
      await client.create(Pods, newPod(`low-${index}`, spec, "1"), options);
    });
    await using _scheduler = await Scheduler.start({ ...parts, informers, recorderOf: () => recorder }, never);
    const bound = allBound(informers.for(Pods), scenario.pods);
    const startMs = performance.now();
    const before = process.cpuUsage();
    const mainBefore = process.threadCpuUsage();
    await inParallel(scenario.pods, async (index) => {
      await client.create(Pods, newPod(`pod-${index}`, scenario.spec, full > 0 ? "1" : "100m"), options);
    });
    await bound;
    const seconds = (performance.now() - startMs) / 1000;
    const cpuSeconds = secondsOf(process.cpuUsage(before));
    return { seconds, cpuSeconds, mainSeconds: secondsOf(process.threadCpuUsage(mainBefore)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const secondsOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;

const options = { signal: never };

const newPod = (name: string, spec: Partial<Pod["spec"]>, cpu = "100m"): New<Pod> => ({
  metadata: { name, namespace: "default", labels: { app: name.startsWith("low") ? "low" : "bench" } },
  spec: {
    containers: [{ name: "main", image: "example.com/app:1", resources: { requests: { cpu, memory: "500Mi" } } }],
    ...spec,
  },
});

async function createNode(client: Client, index: number): Promise<void> {
  const name = `node-${index}`;
  const labels = { [hostKey]: name, [zoneKey]: `zone-${index % zones}` };
  const amounts = { cpu: "4", memory: "32Gi", pods: "110" };
  const status = { capacity: amounts, allocatable: amounts, conditions: [{ type: "Ready", status: "True" }] };
  await client.create(Nodes, { metadata: { name, labels }, status }, options);
  // Nobody watches over the nodes' health here: the taint of new nodes would stay.
  await client.patch(Nodes, { name }, { spec: { taints: null } }, { ...options, type: "merge" });
  await client.patch(Nodes, { name }, { status }, { ...options, type: "merge", subresource: "status" });
}

function allBound(pods: Informer<Pod>, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  pods.onChange((change) => {
    if (change.kind !== "updated" || !change.object.metadata.name.startsWith("pod-")) return;
    if (!change.object.spec.nodeName || change.old.spec.nodeName) return;
    left--;
    if (left === 0) resolve();
  });
  return promise;
}

/** Works through indexes, so many at once as clients have in flight. */
async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}
