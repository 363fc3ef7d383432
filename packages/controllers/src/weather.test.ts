import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployments, isNotFound, Pods, Services } from "@skiff/api";
import { seededRandom } from "@skiff/base";
import { TestCluster } from "@skiff/testing";
import { assertAtRest } from "./fixtures/invariants.ts";
import { webDeployment } from "./fixtures/workloads.ts";

const badWeather = { conflicts: 0.15, unavailable: 0.1, droppedWatches: 0.05, expiredWatches: 0.1 };
const names = ["a", "b", "c"];

/** Users at work: they create, scale, roll out, delete deployments, and kill pods. */
async function act(cluster: TestCluster, random: { next(): number }): Promise<void> {
  const { client, signal } = cluster;
  const pick = <T>(of: readonly T[]): T | undefined => of[Math.floor(random.next() * of.length)];
  const name = pick(names) ?? "a";
  const ref = { namespace: "default", name };
  const dice = random.next();
  if (dice < 0.15) {
    await client.delete(Deployments, ref, { propagationPolicy: dice < 0.07 ? "Foreground" : "Background", signal });
  } else if (dice < 0.3) {
    const { items } = await client.list(Pods, { namespace: "default", signal });
    const pod = pick(items);
    if (pod !== undefined) await client.delete(Pods, pod.metadata, { signal });
  } else {
    const image = `skiff/hello:${Math.floor(random.next() * 3)}`;
    const replicas = Math.floor(random.next() * 6);
    const wanted = webDeployment({ replicas });
    const labels = { app: name };
    const spec = {
      ...wanted.spec,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image }] } },
    };
    try {
      await client.patch(Deployments, ref, { spec }, { type: "merge", signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await client.create(Deployments, { metadata: ref, spec }, { signal });
    }
  }
}

for (const seed of [1, 2]) {
  test(`after lost answers, conflicts and broken watches everything is as asked for (seed ${seed})`, async () => {
    await using cluster = await TestCluster.start({ nodes: 3, seed, faults: badWeather });
    const { client, signal } = cluster;
    const random = seededRandom(seed * 1000);
    for (const app of names) {
      const service = {
        metadata: { name: app, namespace: "default" },
        spec: { selector: { app }, ports: [{ port: 80 }] },
      };
      await client.create(Services, service, { signal });
    }
    for (let step = 0; step < 40; step++) {
      await act(cluster, random).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      await cluster.advance(random.next() * 1500);
    }
    cluster.setFaults();
    // The longest wait of a cache that found no server.
    await cluster.advance(60_000);
    await cluster.eventually(() => assertAtRest(cluster), { withinMs: 300_000 });
    const worked = () =>
      cluster
        .stats()
        // Heartbeats of the nodes keep that one going.
        .filter(({ name }) => name !== "node-lifecycle")
        .map(({ name, succeeded, failed }) => `${name} ${succeeded} ${failed}`);
    const before = worked();
    await cluster.advance(5_000);
    assert.deepEqual(worked(), before, "no loop keeps itself busy");
  });
}
