/**
 * A real node and simulated ones under load, while server and agent are killed at moments that a seed chooses: never more or
 * fewer pods than allowed, and in the end everything is as it was asked for. `SKIFF_SEED=N` replays a run.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { Deployments, isPodTerminal, Jobs, Nodes, type Pod, Pods, ReplicaSets } from "@skiff/api";
import { randomInt, seededRandom, systemClock } from "@skiff/base";
import { type Client, createClient, httpsTransport, loadKubeconfig } from "@skiff/client";
import { kubectls, type Workbench } from "../story/workbench.ts";
import { courseCluster } from "./course-cluster.ts";

const namespace = "default";
const seed = Number(process.env.SKIFF_SEED ?? 20_261_127);
const rounds = 8;
const surge = 4;
const completions = 60;
const parallelism = 6;
const failing = "pod-container-running-failed.stage.kwok.x-k8s.io";

const away = {
  nodeSelector: { type: "kwok" },
  tolerations: [{ key: "kwok.x-k8s.io/node", operator: "Exists", effect: "NoSchedule" }],
};
const apps = [
  { app: "real", replicas: 6, spec: {}, image: ["busybox:1.28", "busybox"], command: ["sleep", "36000"] },
  { app: "simulated", replicas: 40, spec: away, image: ["a", "b"], command: [] },
];

const deployment = (one: (typeof apps)[number]) => ({
  metadata: { name: one.app, namespace },
  spec: {
    replicas: one.replicas,
    selector: { matchLabels: { app: one.app } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: surge } },
    template: {
      metadata: { labels: { app: one.app }, annotations: { "pod-ready.stage.kwok.x-k8s.io/delay": "500ms" } },
      spec: {
        ...one.spec,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "c", image: one.image[0] ?? "", command: one.command }],
      },
    },
  },
});

const job = (name: string, labels: Record<string, string>, spec: object) => ({
  metadata: { name, namespace },
  spec: {
    ...spec,
    template: {
      metadata: { labels: { app: name, ...labels }, annotations: { "pod-complete.stage.kwok.x-k8s.io/delay": "1s" } },
      spec: { ...away, restartPolicy: "Never", containers: [{ name: "c", image: "a" }] },
    },
  },
});

const counts = (pod: Pod) => !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
const isReady = ({ status }: Pod) =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;

if (kubectls().length > 0) {
  describe(`real and simulated nodes, seed ${seed}`, { timeout: 800_000 }, () => {
    let bench: Workbench;
    let client: Client;
    const stack = new AsyncDisposableStack();
    const { signal } = new AbortController();
    const stop = new AbortController();
    const listed = async (app: string) =>
      (await client.list(Pods, { namespace, labelSelector: `app=${app}`, signal })).items.filter(counts);

    before(async () => {
      bench = await courseCluster("mixed", "--simulated-nodes", "10");
      const access = loadKubeconfig(await readFile(`${bench.folder}/kubeconfig`, "utf8"));
      client = createClient(stack.use(httpsTransport({ ...access, clock: systemClock })));
    });
    after(async () => {
      stop.abort();
      await stack.disposeAsync();
      await bench[Symbol.asyncDispose]();
    });

    test("no more and no fewer pods than allowed, whatever is killed", async () => {
      for (const one of apps) await client.create(Deployments, deployment(one), { signal });
      const settled = async () => {
        for (const { app, replicas } of apps) {
          const { status } = await client.get(Deployments, { name: app, namespace }, { signal });
          assert.equal(status?.availableReplicas, replicas, app);
          assert.equal(status?.updatedReplicas, replicas, app);
          assert.equal(status?.replicas, replicas, app);
          assert.equal((await listed(app)).length, replicas, app);
        }
      };
      await bench.eventually("all is there", settled);
      await client.create(Jobs, job("good", {}, { completions, parallelism }), { signal });
      await client.create(Jobs, job("bad", { [failing]: "true" }, { backoffLimit: 2 }), { signal });

      const wrongs: string[] = [];
      const look = async () => {
        while (!stop.signal.aborted) {
          try {
            for (const { app, replicas } of apps) {
              const pods = await listed(app);
              const ready = pods.filter(isReady).length;
              if (pods.length > replicas + surge) wrongs.push(`${app}: ${pods.length} pods`);
              if (ready < replicas - surge) wrongs.push(`${app}: ${ready} ready`);
            }
            const working = (await listed("good")).length;
            if (working > parallelism) wrongs.push(`good: ${working} at once`);
          } catch {
            // The server is away.
          }
          await systemClock.sleep(100, signal);
        }
      };
      const looking = look();
      const random = seededRandom(seed);
      const persist = async (what: string, work: () => Promise<unknown>) =>
        bench.eventually(what, async () => void (await work()), 60_000);
      for (let round = 1; round <= rounds; round++) {
        for (const { app, image, command } of apps) {
          const containers = [{ name: "c", image: image[round % 2] ?? "", command }];
          const patch = { spec: { template: { spec: { containers } } } };
          await persist(`round ${round}: another image`, () =>
            client.patch(Deployments, { name: app, namespace }, patch, { type: "strategic", signal }),
          );
        }
        await systemClock.sleep(randomInt(random, 2_500), signal);
        const status = JSON.parse((await bench.skiff("status", "-o", "json")).stdout);
        const victims = [["server"], ["agent"], ["server", "agent"]][randomInt(random, 3)] ?? [];
        for (const { name, pid, alive } of status.processes) {
          if (alive && victims.includes(name)) process.kill(pid, "SIGKILL");
        }
      }
      await bench.eventually("all is as it was asked for", settled, 120_000);
      await bench.eventually(
        "the Jobs have ended",
        async () => {
          const { status } = await client.get(Jobs, { name: "good", namespace }, { signal });
          assert.equal(status?.succeeded, completions);
          assert.equal(status?.failed ?? 0, 0);
          const bad = await client.get(Jobs, { name: "bad", namespace }, { signal });
          assert.ok(bad.status?.conditions?.some((one) => one.type === "Failed" && one.status === "True"));
          assert.equal(bad.status?.failed, 3);
        },
        120_000,
      );
      stop.abort();
      await looking;
      assert.deepEqual(wrongs, []);
    });

    test("nothing is left without owner or node", async () => {
      const { items: pods } = await client.list(Pods, { namespace, signal });
      const [sets, jobs, nodes] = await Promise.all([
        client.list(ReplicaSets, { namespace, signal }),
        client.list(Jobs, { namespace, signal }),
        client.list(Nodes, { signal }),
      ]);
      const owners = new Set([...sets.items, ...jobs.items].map(({ metadata }) => metadata.uid));
      const names = new Set(nodes.items.map(({ metadata }) => metadata.name));
      for (const { metadata, spec } of pods) {
        assert.ok(owners.has(metadata.ownerReferences?.[0]?.uid ?? ""), `${metadata.name} has no owner`);
        assert.ok(names.has(spec.nodeName ?? ""), `${metadata.name} is nowhere`);
      }
      assert.equal(pods.filter(({ metadata }) => metadata.labels?.app === "good").length, completions);
      for (const { status } of nodes.items) {
        assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
      }
    });
  });
}
