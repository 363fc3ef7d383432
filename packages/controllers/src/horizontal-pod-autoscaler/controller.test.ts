import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { Events, type HorizontalPodAutoscaler, HorizontalPodAutoscalers, type New } from "@skiff/api";
import { type PodLoads, TestCluster } from "@skiff/testing";
import { Web, web } from "../fixtures/workloads.ts";

const minuteMs = 60_000;
const mebibyte = 1024 ** 2;

const autoscaler = (spec: Partial<HorizontalPodAutoscaler["spec"]> = {}): New<HorizontalPodAutoscaler> => ({
  metadata: { ...web },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    minReplicas: 1,
    maxReplicas: 10,
    metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }],
    ...spec,
  },
});

const containers = [{ name: "web", image: "skiff/hello:1", resources: { requests: { cpu: "200m", memory: "64Mi" } } }];
const template = { metadata: { labels: { app: "web" } }, spec: { containers } };

/** Pods that share work which keeps `work.millis` thousandths of a core busy, however many they are. */
const workers = (work: { millis: number; pods: number }): { readonly loads: PodLoads } => ({
  loads: () => ({ cpuMillis: work.millis / Math.max(1, work.pods), memoryBytes: 32 * mebibyte }),
});

const loaded = (work: { millis: number; pods: number }): Promise<TestCluster> =>
  TestCluster.start({ nodes: 2, ...workers(work) });

const get = ({ client, signal }: TestCluster) => client.get(HorizontalPodAutoscalers, web, { signal });

const told = (status: HorizontalPodAutoscaler["status"], type: string) => {
  const found = status?.conditions?.find((condition) => condition.type === type);
  return found && `${found.status} ${found.reason} ${found.message}`;
};

describe("a horizontal pod autoscaler", () => {
  it("follows the work for an hour: up at once, down only when it stays away", async () => {
    const work = { millis: 100, pods: 2 };
    await using cluster = await loaded(work);
    const { client, signal } = cluster;
    const it = new Web(cluster);
    await it.create({ replicas: 2, template });
    await it.rolledOut();
    await client.create(HorizontalPodAutoscalers, autoscaler(), { signal });
    const seen: number[] = [];
    const pass = async (minutes: number) => {
      for (let at = 0; at < minutes * 6; at++) {
        await cluster.advance(10_000);
        const { spec } = await it.get();
        work.pods = spec.replicas ?? 1;
        if (seen.at(-1) !== work.pods) seen.push(work.pods);
      }
    };
    await pass(4);
    assert.deepEqual(seen, [2], "the first minutes of an autoscaler shrink nothing");
    await pass(2);
    assert.deepEqual(seen.splice(0), [2, 1], "100m of 200m is what is wanted of one pod");
    work.millis = 900;
    await pass(10);
    assert.deepEqual(seen.splice(0), [1, 4, 8, 9], "no more than double, or four, at a time");
    work.millis = 100;
    await pass(4);
    assert.deepEqual(seen.splice(0), [9], "it may come again");
    await pass(6);
    assert.equal(seen.at(-1), 1);
    work.millis = 5000;
    await pass(15);
    assert.equal(seen.at(-1), 10);
    const { status } = await get(cluster);
    assert.equal(told(status, "AbleToScale"), "True ReadyForNewScale recommended size matches current size");
    assert.equal(
      told(status, "ScalingActive"),
      "True ValidMetricFound the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
    );
    assert.equal(
      told(status, "ScalingLimited"),
      "True TooManyReplicas the desired replica count is more than the maximum replica count",
    );
    assert.deepEqual(status?.currentMetrics, [
      { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 250, averageValue: "500m" } } },
    ]);
    assert.deepEqual([status?.currentReplicas, status?.desiredReplicas], [10, 10]);
    const { items } = await client.list(Events, { namespace: "default", signal });
    const rescales = items.filter(({ reason }) => reason === "SuccessfulRescale").map(({ message }) => message);
    assert.ok(
      rescales.includes("New size: 4; reason: cpu resource utilization (percentage of request) above target"),
      rescales.join("\n"),
    );
    assert.ok(rescales.includes("New size: 1; reason: All metrics below target"), rescales.join("\n"));
  });

  it("keeps to its bounds and says what it cannot do", async () => {
    await using cluster = await loaded({ millis: 10, pods: 1 });
    const { client, signal } = cluster;
    const it = new Web(cluster);
    await it.create({ replicas: 1, template });
    await client.create(HorizontalPodAutoscalers, autoscaler({ minReplicas: 3 }), { signal });
    await cluster.eventually(async () => (await it.get()).spec.replicas === 3);
    await it.patch({ replicas: 20 });
    await cluster.eventually(async () => (await it.get()).spec.replicas === 10);
    await it.patch({ replicas: 0 });
    await cluster.advance(minuteMs);
    const { status } = await get(cluster);
    assert.equal(
      told(status, "ScalingActive"),
      "False ScalingDisabled scaling is disabled since the replica count of the target is zero",
    );
    assert.equal((await it.get()).spec.replicas, 0);
  });

  it("tells why there are no figures", async () => {
    await using cluster = await loaded({ millis: 10, pods: 1 });
    const { client, signal } = cluster;
    const it = new Web(cluster);
    await it.create({ replicas: 1 });
    await it.rolledOut();
    const metrics = [
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
      { type: "Pods", pods: { metric: { name: "hits" }, target: { type: "AverageValue", averageValue: "10" } } },
    ];
    await client.create(HorizontalPodAutoscalers, autoscaler({ metrics }), { signal });
    await cluster.advance(2 * minuteMs);
    const [pod] = await it.pods();
    const { status } = await get(cluster);
    assert.equal(
      told(status, "ScalingActive"),
      `False FailedGetResourceMetric the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu in container web of Pod ${pod?.metadata.name}`,
    );
    const events = await it.events("web");
    const no =
      "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
    assert.ok(
      events.some((event) => event.startsWith("FailedGetPodsMetric ") && event.endsWith(no)),
      events.join("\n"),
    );
    assert.ok(
      events.some((event) => event.startsWith("FailedComputeMetricsReplicas invalid metrics (2 invalid out of 2)")),
      events.join("\n"),
    );
  });
});

const badWeather = { conflicts: 0.15, unavailable: 0.1, droppedWatches: 0.05, expiredWatches: 0.1 };

for (const seed of [1, 2]) {
  test(`in bad weather an autoscaler keeps to its bounds and gets where the work wants it (seed ${seed})`, async () => {
    const work = { millis: 900, pods: 2 };
    await using cluster = await TestCluster.start({ nodes: 2, seed, faults: badWeather, ...workers(work) });
    const { client, signal } = cluster;
    const it = new Web(cluster);
    await it.create({ replicas: 2, template });
    await client.create(HorizontalPodAutoscalers, autoscaler({ minReplicas: 2, maxReplicas: 8 }), { signal });
    for (const millis of [900, 500, 5000, 300]) {
      work.millis = millis;
      for (let at = 0; at < 60; at++) {
        await cluster.advance(10_000);
        work.pods = (await it.get()).spec.replicas ?? 1;
        assert.ok(work.pods >= 2 && work.pods <= 8, `${work.pods} replicas`);
      }
      // Nothing moves while the use is within a tenth of its target; from above, one more stays than is needed.
      const least = Math.max(2, Math.min(8, Math.ceil(millis / 110)));
      assert.ok(work.pods === least || work.pods === least + 1, `${work.pods} replicas for ${millis}m`);
    }
  });
}
