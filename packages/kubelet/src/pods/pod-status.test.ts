import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { containerOf, ended, podOf, runtimeContainer, sandboxOf } from "../fixtures/objects.ts";
import { type PodStatusInput, podStatus } from "./pod-status.ts";

const statusOf = (pod: Pod, more: Partial<PodStatusInput>) =>
  podStatus({
    pod,
    view: { sandboxes: [sandboxOf()], containers: [] },
    waiting: new Map(),
    messages: new Map(),
    runtimeName: "containerd",
    started: () => true,
    ready: () => true,
    terminating: false,
    nowMs: Date.UTC(2026, 0, 1),
    hostAddresses: ["192.0.2.1"],
    failure: undefined,
    terminal: false,
    resize: [],
    actual: () => undefined,
    actualPod: undefined,
    deviceHealth: () => [],
    ...more,
  });
const view = (...containers: PodStatusInput["view"]["containers"]) => ({ sandboxes: [sandboxOf()], containers });

const lost = { name: "main", image: "i:1", imageID: "", ready: true };
const over = { terminal: true, terminating: true };
const never = podOf({ restartPolicy: "Never" });
const init = podOf({ initContainers: [containerOf("a")] });
it("says of a container that never ran that it began at the beginning of time", () => {
  const failed = runtimeContainer("main", { state: "exited", exitCode: 128, reason: "StartError", startedAtMs: 0 });
  const [main] = statusOf(never, { view: view(failed) }).containerStatuses ?? [];
  assert.equal(main?.state?.terminated?.reason, "StartError");
  assert.equal(main?.state?.terminated?.startedAt, "1970-01-01T00:00:00Z");
});

it("leaves what is told of claims to others, also where the pod is not taken", () => {
  const told = {
    resourceClaimStatuses: [{ name: "c", resourceClaimName: "p-c" }],
    extendedResourceClaimStatus: { requestMappings: [], resourceClaimName: "p-extended-resources-x" },
  };
  const pod = { ...podOf(), status: { phase: "Pending", ...told } };
  for (const failure of [undefined, { reason: "OutOfcpu", message: "m", rejected: true }]) {
    const { resourceClaimStatuses, extendedResourceClaimStatus } = statusOf(pod, { failure });
    assert.deepEqual({ resourceClaimStatuses, extendedResourceClaimStatus }, told);
  }
});

const phases: readonly (readonly [string, Pod, Partial<PodStatusInput>, string])[] = [
  ["nothing yet", podOf(), {}, "Pending"],
  ["running", podOf(), { view: view(runtimeContainer("main")) }, "Running"],
  ["between two runs", podOf(), { view: view(ended("main", 1)) }, "Running"],
  ["Never, well", never, { view: view(ended("main", 0)), ...over }, "Succeeded"],
  ["Never, badly", never, { view: view(ended("main", 2)), ...over }, "Failed"],
  ["init runs", init, { view: view(runtimeContainer("a")) }, "Pending"],
  ["init failed, tries again", init, { view: view(ended("a", 1)) }, "Pending"],
  [
    "init failed for good",
    podOf({ restartPolicy: "Never", initContainers: [containerOf("a")] }),
    { view: view(ended("a", 1)), ...over },
    "Failed",
  ],
  [
    "Never, well, but a sidecar still runs",
    { ...never, status: { phase: "Running" } },
    { view: view(ended("main", 0)) },
    "Running",
  ],
  ["deleted before anything ran", podOf(), { ...over }, "Failed"],
  ["deleted, ended well", podOf(), { view: view(ended("main", 0)), terminal: true, terminating: true }, "Succeeded"],
  ["deleted, killed", podOf(), { view: view(ended("main", 137)), terminal: true, terminating: true }, "Failed"],
  [
    "what has ended stays so",
    { ...podOf(), status: { phase: "Failed" } },
    { view: view(runtimeContainer("main")) },
    "Failed",
  ],
  [
    "past its deadline",
    podOf(),
    {
      view: view(ended("main", 0)),
      terminal: true,
      terminating: true,
      failure: { reason: "DeadlineExceeded", message: "m" },
    },
    "Failed",
  ],
];

describe("podStatus", () => {
  for (const [name, pod, more, phase] of phases)
    it(`phase: ${name}`, () => assert.equal(statusOf(pod, more).phase, phase));

  it("shows a waiting reason over the end that led to it", () => {
    const waiting = new Map([["main", { reason: "CrashLoopBackOff", message: "back-off" }]]);
    const [status] = statusOf(podOf(), { view: view(ended("main", 1)), waiting }).containerStatuses ?? [];
    assert.deepEqual(status?.state, { waiting: { reason: "CrashLoopBackOff", message: "back-off" } });
    assert.equal(status?.lastState?.terminated?.exitCode, 1);
    assert.equal(status?.containerID, "containerd://main-0");
  });

  it("counts what the runtime has lost as an end", () => {
    const status = {
      phase: "Running",
      containerStatuses: [
        {
          ...lost,
          restartCount: 2,
          containerID: "containerd://x",
          state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
        },
      ],
    };
    const [main] = statusOf({ ...podOf(), status }, {}).containerStatuses ?? [];
    assert.deepEqual(
      [main?.restartCount, main?.state?.waiting?.reason, main?.lastState?.terminated?.reason],
      [3, "ContainerCreating", "ContainerStatusUnknown"],
    );
    const again = statusOf(
      { ...podOf(), status: { ...status, containerStatuses: main === undefined ? [] : [main] } },
      {},
    );
    assert.equal(again.containerStatuses?.[0]?.restartCount, 3);
  });

  it("says that a pod is over whose containers nobody saw end", () => {
    const { containerStatuses } = statusOf(podOf({ containers: [containerOf("main"), containerOf("b")] }), {
      ...over,
      view: view(ended("main", 0)),
    });
    assert.deepEqual(
      containerStatuses?.map((one) => one.state?.terminated?.reason),
      ["Completed", "ContainerStatusUnknown"],
    );
  });

  it("remembers the end before this run", () => {
    const containers = view(runtimeContainer("main", { attempt: 1, createdAtMs: 5000 }), ended("main", 9));
    const [status] = statusOf(podOf(), { view: containers }).containerStatuses ?? [];
    assert.equal(status?.restartCount, 1);
    assert.equal(status?.lastState?.terminated?.exitCode, 9);
    assert.equal(status?.ready, true);
  });

  it("names what is not ready, and what a gate waits for", () => {
    const pod = podOf({ readinessGates: [{ conditionType: "x" }], containers: [containerOf("a"), containerOf("b")] });
    const of = (type: string, ready: boolean) =>
      statusOf(pod, { view: view(runtimeContainer("a"), runtimeContainer("b")), ready: () => ready }).conditions?.find(
        (one) => one.type === type,
      );
    assert.equal(of("Ready", false)?.message, "containers with unready status: [a b]");
    assert.equal(of("Ready", true)?.reason, "ReadinessGatesNotReady");
    assert.equal(of("Ready", true)?.message, 'corresponding condition of pod readiness gate "x" does not exist.');
    assert.equal(of("ContainersReady", true)?.status, "True");
  });

  it("says while a rule restarts all containers, of pods that have such a rule", () => {
    const rule = { action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } };
    const ruled = podOf({
      restartPolicy: "Never",
      containers: [containerOf("main", { restartPolicy: "Never", restartPolicyRules: [rule] }), containerOf("b")],
    });
    const of = (pod: Pod, more: Partial<PodStatusInput>) => {
      const found = statusOf(pod, more).conditions?.find((one) => one.type === "AllContainersRestarting");
      return found && [found.status, found.reason, found.message].filter(Boolean).join(" ");
    };
    const during = view(ended("main", 42), runtimeContainer("b"));
    assert.equal(
      of(ruled, { view: during }),
      "True RestartAllContainersStarted container exited with restart policy rule",
    );
    assert.equal(of(ruled, { view: view(runtimeContainer("main")) }), "False");
    assert.equal(of(ruled, { view: view(ended("main", 1), ended("b", 1)), ...over }), "False PodFailed");
    assert.equal(of(podOf(), { view: view(ended("main", 42)) }), undefined);
  });

  it("keeps the times of conditions that did not change, and the conditions of others", () => {
    const old = { type: "Initialized", status: "True", lastTransitionTime: "2020-01-01T00:00:00Z" };
    const foreign = { type: "example.com/gate", status: "True" };
    const pod: Pod = { ...podOf(), status: { conditions: [old, foreign] } };
    const { conditions } = statusOf(pod, { view: view(runtimeContainer("main")) });
    assert.equal(conditions?.find((one) => one.type === "Initialized")?.lastTransitionTime, old.lastTransitionTime);
    assert.deepEqual(conditions?.at(-1), foreign);
  });
});

it("tells what the pod has in all, and once it runs what its control group has of that", () => {
  const bound = {
    requests: { cpu: "1", "example.com/x": "1" },
    limits: { cpu: "2", memory: "1Gi", "example.com/x": "1" },
  };
  const containers = [
    containerOf("a", { resources: bound }),
    containerOf("b", { resources: { limits: { cpu: "1" } } }),
  ];
  const of = (spec: Partial<Pod["spec"]>, more: Partial<PodStatusInput> = {}) => {
    const { allocatedResources, resources } = statusOf(podOf(spec), more);
    return { allocatedResources, resources };
  };
  const running = (spec: Partial<Pod["spec"]>, actualPod?: PodStatusInput["actualPod"]) => {
    const containers = (spec.containers ?? [containerOf("main")]).map(({ name }) => runtimeContainer(name));
    return of(spec, { view: view(...containers), actualPod });
  };
  const requests = { cpu: "1", "example.com/x": "1" };
  assert.deepEqual(of({ containers }), {
    allocatedResources: requests,
    resources: { requests, limits: { cpu: "3", memory: "1Gi", "example.com/x": "1" } },
  });
  // One container may use any memory: so may the pod.
  assert.deepEqual(running({ containers }), {
    allocatedResources: requests,
    resources: { requests: { cpu: "1" }, limits: { cpu: "3" } },
  });
  const whole = (cpu: string) => ({ requests: { cpu }, limits: { cpu } });
  assert.deepEqual(running({ resources: whole("2") }, whole("1")), {
    allocatedResources: { cpu: "2" },
    resources: whole("1"),
  });
  assert.deepEqual(running({}), { allocatedResources: undefined, resources: {} });
});
