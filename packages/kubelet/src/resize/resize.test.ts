import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Container, Pod } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { MemoryCgroups } from "@skiff/host";
import { containerOf, podOf, runtimeContainer } from "../fixtures/objects.ts";
import { startSimulatedNode } from "../fixtures/simulated-node.ts";
import { podRequest } from "../pods/preempt.ts";
import { desiredAllocation, givenTo, withAllocation } from "./allocation.ts";
import { judgeResize } from "./judge-resize.ts";
import { planResize } from "./plan-resize.ts";

const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
const at = (pod: Pod, index: number): Container => pod.spec.containers[index] ?? assert.fail("no such container");
const podWith = (cpu: string, memory: string, uid = "u1") =>
  podOf({ containers: [containerOf("main", { resources: resources(cpu, memory) })] }, { uid });

describe("what a node grants", () => {
  const allocatable = { cpu: "4", memory: "8Gi" };
  for (const [what, pod, others, expected] of [
    ["room enough", podWith("2", "1Gi"), [podWith("2", "1Gi")], { kind: "granted" }],
    [
      "more than the node has",
      podWith("5", "1Gi"),
      [],
      { kind: "infeasible", message: "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000" },
    ],
    [
      "more than is left",
      podWith("1", "5Gi"),
      [podWith("1", "4Gi")],
      {
        kind: "deferred",
        message:
          "Node didn't have enough resource: memory, requested: 5368709120, used: 4294967296, capacity: 8589934592",
      },
    ],
  ] as const)
    it(`judges ${what}`, () => assert.deepEqual(judgeResize(pod, { allocatable, others }), expected));

  it("counts what a pod asks for as a whole", () => {
    const whole = podOf({ resources: { requests: { cpu: "5", memory: "1Gi" } } });
    assert.equal(judgeResize(whole, { allocatable, others: [] }).kind, "infeasible");
    assert.equal(podRequest(whole, "cpu"), 5000);
  });

  it("also gives more to what runs before the others, while it runs", () => {
    const first = (cpu: string) =>
      podOf({ initContainers: [containerOf("first", { resources: resources(cpu, "1Gi") })] }, { uid: "u1" });
    const status = (state: "running" | "exited") => ({
      sandboxes: [],
      containers: [runtimeContainer("first", { state })],
    });
    const plan = (state: "running" | "exited") =>
      planResize(first("2"), status(state), () => resources("1", "1Gi")).map(({ container }) => container.name);
    assert.deepEqual([plan("running"), plan("exited")], [["first"], []]);
    const old = desiredAllocation(first("1"));
    const granted = withAllocation(first("2"), old).spec.initContainers?.[0]?.resources;
    assert.deepEqual(granted, resources("1", "1Gi"));
  });

  it("leaves out what was not granted", () => {
    const old = desiredAllocation(podWith("1", "1Gi"));
    assert.deepEqual(withAllocation(podWith("3", "1Gi"), old).spec.containers[0]?.resources, resources("1", "1Gi"));
    const whole = podOf({ resources: resources("3", "1Gi") });
    assert.equal(withAllocation(whole, desiredAllocation(podOf())).spec.resources, undefined);
  });

  it("gives containers without limits those of the pod, anew where their policy says so", () => {
    const resizePolicy = [{ resourceName: "cpu", restartPolicy: "RestartContainer" as const }];
    const pod = podOf({
      resources: resources("2", "1Gi"),
      containers: [
        containerOf("free"),
        containerOf("anew", { resizePolicy }),
        containerOf("bound", { resizePolicy, resources: { limits: { cpu: "1", memory: "1Gi" } } }),
      ],
    });
    const view = { sandboxes: [], containers: pod.spec.containers.map(({ name }) => runtimeContainer(name)) };
    const before = { ...pod, spec: { ...pod.spec, resources: resources("1", "1Gi") } };
    const given = new Map(view.containers.map(({ id }, index) => [id, givenTo(at(before, index), before)]));
    const plan = planResize(pod, view, (id) => given.get(id));
    assert.deepEqual(
      plan.map(({ container, restart }) => [container.name, restart]),
      [
        ["free", false],
        ["anew", true],
      ],
    );
  });
});

async function start() {
  const cgroups = new MemoryCgroups();
  const { node, clock, runtime, until, ...test } = await startSimulatedNode(undefined, {
    host: { mounts: undefined, cgroups },
  });
  const create = (name: string, cpu: string, policy: "NotRequired" | "RestartContainer" = "NotRequired") =>
    node.create(name, {
      containers: [
        {
          name: "main",
          image: "skiff/hello:1",
          resources: resources(cpu, "1Gi"),
          resizePolicy: [{ resourceName: "cpu", restartPolicy: policy }],
        },
      ],
    });
  let generation = 1;
  const resize = (name: string, cpu: string) =>
    patch(name, { containers: [{ name: "main", resources: resources(cpu, "1Gi") }] });
  const patch = (name: string, spec: JsonObject) =>
    node.api.send({
      verb: "patch",
      group: "",
      version: "v1",
      plural: "pods",
      namespace: "default",
      name,
      patchType: "strategic",
      body: { metadata: { generation: ++generation }, spec },
    });
  const status = (name: string) => node.pod(name)?.status?.containerStatuses?.[0];
  const condition = (name: string, type: string) =>
    node.pod(name)?.status?.conditions?.find((one) => one.type === type);
  const running = (name: string) => until(() => status(name)?.state?.running !== undefined);
  const group = (name: string) => cgroups.groups.get(`/kubepods-test/pod${node.pod(name)?.metadata.uid}`);
  return {
    node,
    clock,
    runtime,
    cgroups,
    until,
    create,
    resize,
    patch,
    status,
    condition,
    running,
    group,
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

describe("resizing pods in place", () => {
  it("gives a running container more, without starting it anew", async () => {
    await using test = await start();
    test.create("web", "1");
    await test.running("web");
    const id = test.status("web")?.containerID;
    await test.resize("web", "2");
    await test.until(() => test.status("web")?.resources?.limits?.cpu === "2");
    await test.until(() => test.node.reasons("web").includes("ResizeCompleted"));
    assert.equal(test.status("web")?.containerID, id);
    assert.deepEqual(test.status("web")?.allocatedResources, { cpu: "2", memory: "1Gi" });
    assert.equal(test.group("web")?.cpuQuotaUs, 200_000);
    await test.until(() => test.condition("web", "PodResizeInProgress") === undefined);
    const started = test.node.events.find((one) => one.reason === "ResizeStarted");
    assert.equal(
      started?.message,
      'Pod resize started: {"containers":[{"name":"main","resources":{"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"2","memory":"1Gi"}}}],"generation":2}',
    );
  });

  it("starts a container anew where its policy says so", async () => {
    await using test = await start();
    test.create("web", "1", "RestartContainer");
    await test.running("web");
    await test.resize("web", "2");
    await test.until(() => test.status("web")?.restartCount === 1 && test.status("web")?.state?.running !== undefined);
    assert.equal(test.status("web")?.resources?.limits?.cpu, "2");
    await test.until(() => test.node.reasons("web").includes("ResizeCompleted"));
    assert.ok(test.node.events.some((one) => one.message === "Container main resize requires restart"));
  });

  it("gives the pod as a whole more and less, but not less than it uses", async () => {
    await using test = await start();
    test.node.create("web", { resources: resources("1", "1Gi") });
    await test.running("web");
    const whole = () => test.node.pod("web")?.status;
    await test.patch("web", { resources: resources("1", "2Gi") });
    await test.until(() => test.node.reasons("web").includes("ResizeCompleted"));
    await test.until(() => whole()?.resources?.limits?.memory === "2Gi");
    assert.equal(test.group("web")?.memoryLimitBytes, 2 * 2 ** 30);
    await test.patch("web", { resources: resources("1", "1Mi") });
    await test.until(() => test.condition("web", "PodResizeInProgress")?.reason === "Error");
    assert.equal(
      test.condition("web", "PodResizeInProgress")?.message,
      "cannot decrease memory limits: [attempting to set pod memory limit (1048576) below current usage (4194304), " +
        'attempting to set container "main" memory limit (1048576) below current usage (4194304)]',
    );
    assert.equal(whole()?.allocatedResources?.memory, "1Mi");
    assert.equal(whole()?.resources?.limits?.memory, "2Gi");
    assert.equal(test.group("web")?.memoryLimitBytes, 2 * 2 ** 30);
    await test.patch("web", { resources: resources("1", "8Mi") });
    await test.until(() => whole()?.resources?.limits?.memory === "8Mi");
    assert.equal(test.group("web")?.memoryLimitBytes, 8 * 2 ** 20);
    assert.equal(test.status("web")?.restartCount, 0);
    assert.deepEqual(test.status("web")?.resources, {});
  });

  it("lets a pod's group have what its containers have, until they are started anew with less", async () => {
    await using test = await start();
    test.create("web", "2", "RestartContainer");
    await test.running("web");
    const quotas = new Set<number | undefined>();
    const first = test.status("web")?.containerID ?? "";
    const limit = test.cgroups.limit.bind(test.cgroups);
    test.cgroups.limit = async (path, limits) => {
      if ((await test.runtime.containerStats()).some(({ id }) => first.endsWith(id))) quotas.add(limits.cpuQuotaUs);
      await limit(path, limits);
    };
    await test.resize("web", "1");
    await test.until(() => test.node.reasons("web").includes("ResizeCompleted"));
    assert.deepEqual([...quotas], [200_000]);
    assert.equal(test.group("web")?.cpuQuotaUs, 100_000);
  });

  it("defers what there is no room for until another pod goes, and says what never fits", async () => {
    await using test = await start();
    test.create("web", "1");
    test.create("other", "2");
    await test.running("web");
    await test.running("other");
    await test.resize("web", "9");
    await test.until(() => test.condition("web", "PodResizePending")?.reason === "Infeasible");
    await test.resize("web", "3");
    await test.until(() => test.condition("web", "PodResizePending")?.reason === "Deferred");
    assert.equal(
      test.condition("web", "PodResizePending")?.message,
      "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000",
    );
    assert.equal(test.status("web")?.resources?.limits?.cpu, "1");
    await test.node.delete("other", 0);
    await test.until(() => test.status("web")?.resources?.limits?.cpu === "3");
    await test.until(() => test.condition("web", "PodResizePending") === undefined);
  });

  it("grants at once what another resize makes room for", async () => {
    await using test = await start();
    const put = (name: string, cpu: string, memory: string) =>
      test.node.create(name, {
        containers: [{ name: "main", image: "skiff/hello:1", resources: resources(cpu, memory) }],
      });
    put("gone", "1", "1Gi");
    put("first", "1", "4Gi");
    put("second", "2", "1Gi");
    for (const name of ["gone", "first", "second"]) await test.running(name);
    const wants = (name: string, cpu: string, memory: string) =>
      test.patch(name, { containers: [{ name: "main", resources: resources(cpu, memory) }] });
    // The first gives back the memory that the second waits for, once it has the CPU of the one that goes.
    await wants("first", "2", "1Gi");
    await wants("second", "2", "5Gi");
    for (const name of ["first", "second"])
      await test.until(() => test.condition(name, "PodResizePending")?.reason === "Deferred");
    const before = test.clock.monotonic();
    await test.node.delete("gone", 0);
    await test.until(() => test.status("second")?.resources?.limits?.memory === "5Gi");
    assert.ok(test.clock.monotonic() - before < 10_000);
  });

  it("remembers what was granted when the agent is started again", async () => {
    await using test = await start();
    test.create("web", "1");
    await test.running("web");
    await test.resize("web", "2");
    await test.until(() => test.node.reasons("web").includes("ResizeCompleted"));
    await test.node.stopAgent();
    await test.resize("web", "9");
    await test.node.startAgent();
    await test.until(() => test.condition("web", "PodResizePending")?.reason === "Infeasible");
    assert.deepEqual(test.status("web")?.resources?.limits, { cpu: "2", memory: "1Gi" });
  });
});
