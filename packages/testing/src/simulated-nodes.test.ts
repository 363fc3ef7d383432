import assert from "node:assert/strict";
import { test } from "node:test";
import { Jobs, Pods } from "@skiff/api";
import { annotatedScript, TestCluster } from "./index.ts";

const namespace = "default";
const spec = {
  containers: [
    { name: "one", image: "i" },
    { name: "two", image: "i" },
  ],
};
const failed = "pod-container-running-failed.stage.kwok.x-k8s.io";

const scripts: readonly {
  readonly name: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly afterMs: number;
  readonly phase: string;
  readonly ready: string;
  readonly ends?: readonly string[];
}[] = [
  { name: "plain", afterMs: 0, phase: "Running", ready: "True" },
  {
    name: "slow",
    annotations: { "pod-create.stage.kwok.x-k8s.io/delay": "1m30s", "pod-ready.stage.kwok.x-k8s.io/delay": "500ms" },
    afterMs: 89_000,
    phase: "Pending",
    ready: "",
  },
  {
    name: "slow to be ready",
    annotations: { "pod-ready.stage.kwok.x-k8s.io/delay": "1h" },
    afterMs: 3_599_000,
    phase: "Running",
    ready: "False",
  },
  {
    name: "completes",
    annotations: { "pod-complete.stage.kwok.x-k8s.io/delay": "10s" },
    afterMs: 10_000,
    phase: "Succeeded",
    ready: "False",
    ends: ["0 Completed", "0 Completed"],
  },
  {
    name: "fails",
    labels: { [failed]: "true" },
    annotations: {
      [`${failed}/delay`]: "5s",
      [`${failed}/reason`]: "OOMKilled",
      [`${failed}/exit-code`]: "137",
      [`${failed}/container-name`]: "two",
    },
    afterMs: 5_000,
    phase: "Failed",
    ready: "False",
    ends: ["0 Completed", "137 OOMKilled"],
  },
  {
    name: "is not afraid of nonsense",
    annotations: { "pod-ready.stage.kwok.x-k8s.io/delay": "soon" },
    afterMs: 0,
    phase: "Running",
    ready: "True",
  },
];

for (const { name, labels = {}, annotations = {}, afterMs, phase, ready, ends } of scripts) {
  test(`a pod's own words: it ${name}`, async () => {
    await using cluster = await TestCluster.start({ scripts: annotatedScript });
    const { client, signal } = cluster;
    const ref = { namespace, name: "pod" };
    await client.create(Pods, { metadata: { ...ref, labels, annotations }, spec }, { signal });
    await cluster.advance(afterMs + 200);
    const { status } = await client.get(Pods, ref, { signal });
    assert.equal(status?.phase, phase);
    assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "", ready);
    const told = status?.containerStatuses?.flatMap(({ state }) =>
      state?.terminated === undefined ? [] : [`${state.terminated.exitCode} ${state.terminated.reason}`],
    );
    assert.deepEqual(ends === undefined ? [] : told, ends ?? []);
  });
}

test("pods of Jobs end by themselves", async () => {
  await using cluster = await TestCluster.start({ scripts: annotatedScript });
  const { client, signal } = cluster;
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };
  await client.create(
    Jobs,
    { metadata: { name: "job", namespace }, spec: { completions: 5, parallelism: 2, template } },
    { signal },
  );
  await cluster.eventually(async () => {
    const { status } = await client.get(Jobs, { name: "job", namespace }, { signal });
    assert.equal(status?.succeeded, 5);
  });
});

test("what somebody else said of a pod is put right; addresses differ", async () => {
  await using cluster = await TestCluster.start({ scripts: annotatedScript });
  const { client, signal } = cluster;
  for (const name of ["a", "b"]) {
    const initContainers = [{ name: "init", image: "i" }];
    await client.create(Pods, { metadata: { name, namespace }, spec: { ...spec, initContainers } }, { signal });
  }
  await cluster.advance(1_000);
  const pod = await client.get(Pods, { name: "a", namespace }, { signal });
  assert.equal(pod.status?.initContainerStatuses?.[0]?.state?.terminated?.reason, "Completed");
  const other = await client.get(Pods, { name: "b", namespace }, { signal });
  assert.notEqual(pod.status?.podIP, other.status?.podIP);
  const conditions = [{ type: "Ready", status: "False" }];
  await client.patch(
    Pods,
    pod.metadata,
    { status: { conditions } },
    { type: "strategic", subresource: "status", signal },
  );
  await cluster.eventually(async () => {
    const { status } = await client.get(Pods, pod.metadata, { signal });
    assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
    assert.equal(status?.podIP, pod.status?.podIP);
  });
});

test("pods are resized in place, a container and as a whole, and go on as they were to", async () => {
  await using cluster = await TestCluster.start({ scripts: annotatedScript });
  const { client, signal } = cluster;
  const ref = { namespace, name: "pod" };
  const annotations = { "pod-complete.stage.kwok.x-k8s.io/delay": "1h" };
  const amounts = (cpu: string) => ({ requests: { cpu }, limits: { cpu } });
  const containers = [{ name: "one", image: "i", resources: amounts("1") }];
  await client.create(
    Pods,
    { metadata: { ...ref, annotations }, spec: { containers, resources: amounts("2") } },
    { signal },
  );
  const tells = (own: string, whole: string, observedGeneration: number) =>
    cluster.eventually(async () => {
      const { status } = await client.get(Pods, ref, { signal });
      const [one] = status?.containerStatuses ?? [];
      assert.deepEqual(one?.resources, amounts(own));
      assert.deepEqual(one?.allocatedResources, { cpu: own });
      assert.deepEqual(status?.resources, amounts(whole));
      assert.equal(status?.observedGeneration, observedGeneration);
      assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
    });
  await tells("1", "2", 1);
  const { status: before } = await client.get(Pods, ref, { signal });
  const resize = (change: object) =>
    client.patch(Pods, ref, { spec: change }, { type: "strategic", subresource: "resize", signal });
  await resize({ containers: [{ name: "one", resources: amounts("1500m") }] });
  await tells("1500m", "2", 2);
  await resize({ resources: amounts("3") });
  await tells("1500m", "3", 3);
  const { status: after } = await client.get(Pods, ref, { signal });
  assert.deepEqual(after?.containerStatuses?.[0]?.state, before?.containerStatuses?.[0]?.state);
  await cluster.advance(3_601_000);
  assert.equal((await client.get(Pods, ref, { signal })).status?.phase, "Succeeded");
});
