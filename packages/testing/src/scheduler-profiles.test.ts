import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Events, Nodes, type Pod, Pods } from "@skiff/api";
import { TestCluster } from "./test-cluster.ts";

const schedulerConfiguration = JSON.stringify({
  apiVersion: "kubescheduler.config.k8s.io/v1",
  kind: "KubeSchedulerConfiguration",
  profiles: [
    { schedulerName: "default-scheduler" },
    {
      schedulerName: "packer",
      plugins: {
        score: { disabled: [{ name: "*" }], enabled: [{ name: "NodeResourcesFit" }] },
        postFilter: { disabled: [{ name: "*" }] },
      },
      pluginConfig: [{ name: "NodeResourcesFit", args: { scoringStrategy: { type: "MostAllocated" } } }],
    },
    {
      schedulerName: "pool",
      pluginConfig: [
        {
          name: "NodeAffinity",
          args: {
            addedAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: "pool", operator: "In", values: ["blue"] }] }],
              },
            },
          },
        },
      ],
    },
  ],
});

const podOf = (name: string, schedulerName: string, cpu = "500m"): Pick<Pod, "metadata" | "spec"> => ({
  metadata: { name, namespace: "default", uid: "", resourceVersion: "", creationTimestamp: "" },
  spec: {
    schedulerName,
    containers: [{ name: "main", image: "example.test/main:1", resources: { requests: { cpu } } }],
  },
});

describe("profiles of the scheduler", () => {
  it("each place the pods that name them; nobody touches those of others", async () => {
    await using cluster = await TestCluster.start({ nodes: 3, schedulerConfiguration });
    const { client, signal } = cluster;
    const create = (...args: Parameters<typeof podOf>) => client.create(Pods, podOf(...args), { signal });
    const nodeOf = async (name: string) => {
      const { spec } = await client.get(Pods, { name, namespace: "default" }, { signal });
      assert.ok(spec.nodeName);
      return spec.nodeName;
    };
    await create("stranger", "somebody-else");
    await create("anchor", "default-scheduler");
    const anchor = await cluster.eventually(() => nodeOf("anchor"));
    for (const name of ["packed-1", "packed-2", "packed-3"]) await create(name, "packer");
    for (const name of ["packed-1", "packed-2", "packed-3"]) {
      assert.equal(await cluster.eventually(() => nodeOf(name)), anchor);
    }
    await create("pooled", "pool");
    const refusal = await cluster.eventually(async () => {
      const { status } = await client.get(Pods, { name: "pooled", namespace: "default" }, { signal });
      const condition = status?.conditions?.find(({ type }) => type === "PodScheduled");
      assert.ok(condition?.message);
      return condition.message;
    });
    assert.match(refusal, /^0\/3 nodes are available: 3 node\(s\) didn't match scheduler-enforced node affinity\./);
    const patch = { metadata: { labels: { pool: "blue" } } };
    await client.patch(Nodes, { name: "node-3" }, patch, { type: "merge", signal });
    assert.equal(await cluster.eventually(() => nodeOf("pooled")), "node-3");
    const events = await cluster.eventually(async () => {
      const { items } = await client.list(Events, { namespace: "default", signal });
      const scheduled = items.filter(({ reason }) => reason === "Scheduled");
      assert.equal(scheduled.length, 5);
      return new Map(scheduled.map((event) => [event.involvedObject.name, event.source?.component]));
    });
    assert.equal(events.get("anchor"), "default-scheduler");
    assert.equal(events.get("packed-1"), "packer");
    assert.equal(events.get("pooled"), "pool");
    const stranger = await client.get(Pods, { name: "stranger", namespace: "default" }, { signal });
    assert.equal(stranger.spec.nodeName, undefined);
    assert.deepEqual(stranger.status?.conditions ?? [], []);
  });
});
