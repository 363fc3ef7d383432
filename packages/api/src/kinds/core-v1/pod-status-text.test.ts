import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerState, ContainerStatus, PodSpec, PodStatus } from "../../generated/types/core-v1.ts";
import { samplePod } from "../sample-objects.ts";
import { summarizePod } from "./pod-status-text.ts";

const nowMs = Date.parse("2026-01-02T04:00:00Z");

const reported = (state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: "web",
  image: "",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...more,
});

const running = reported({ running: {} }, { ready: true, started: true });
const init = { name: "init", image: "i" };
const sidecar = { name: "side", image: "s", restartPolicy: "Always" };

const cases: readonly {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly status: PodStatus;
  readonly deleted?: boolean;
  readonly cells: readonly [ready: string, status: string, restarts: string];
}[] = [
  { name: "new", status: { phase: "Pending" }, cells: ["0/1", "Pending", "0"] },
  { name: "running", status: { phase: "Running", containerStatuses: [running] }, cells: ["1/1", "Running", "0"] },
  {
    name: "crashing",
    status: {
      phase: "Running",
      containerStatuses: [
        reported(
          { waiting: { reason: "CrashLoopBackOff" } },
          { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-02T03:58:00Z" } } },
        ),
      ],
    },
    cells: ["0/1", "CrashLoopBackOff", "3 (2m ago)"],
  },
  {
    name: "ended",
    status: { phase: "Succeeded", containerStatuses: [reported({ terminated: { exitCode: 0, reason: "Completed" } })] },
    cells: ["0/1", "Completed", "0"],
  },
  {
    name: "killed without a reason",
    status: { phase: "Failed", containerStatuses: [reported({ terminated: { exitCode: 137, signal: 9 } })] },
    cells: ["0/1", "Signal:9", "0"],
  },
  {
    name: "failed without a reason",
    status: { phase: "Failed", containerStatuses: [reported({ terminated: { exitCode: 3 } })] },
    cells: ["0/1", "ExitCode:3", "0"],
  },
  {
    name: "half ended, not ready",
    status: {
      phase: "Running",
      containerStatuses: [reported({ terminated: { exitCode: 0, reason: "Completed" } }), running],
    },
    cells: ["1/1", "NotReady", "0"],
  },
  {
    name: "half ended, ready",
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [reported({ terminated: { exitCode: 0, reason: "Completed" } }), running],
    },
    cells: ["1/1", "Running", "0"],
  },
  { name: "evicted", status: { phase: "Failed", reason: "Evicted" }, cells: ["0/1", "Evicted", "0"] },
  {
    name: "gated",
    status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
    cells: ["0/1", "SchedulingGated", "0"],
  },
  {
    name: "going",
    status: { phase: "Running", containerStatuses: [running] },
    deleted: true,
    cells: ["1/1", "Terminating", "0"],
  },
  { name: "gone", status: { phase: "Succeeded" }, deleted: true, cells: ["0/1", "Succeeded", "0"] },
  { name: "lost", status: { phase: "Running", reason: "NodeLost" }, deleted: true, cells: ["0/1", "Unknown", "0"] },
  {
    name: "initializing",
    spec: { initContainers: [init, { ...init, name: "second" }] },
    status: {
      phase: "Pending",
      initContainerStatuses: [
        reported({ terminated: { exitCode: 0 } }, { name: "init" }),
        reported({ waiting: { reason: "PodInitializing" } }, { name: "second" }),
      ],
    },
    cells: ["0/1", "Init:1/2", "0"],
  },
  {
    name: "initialization fails",
    spec: { initContainers: [init] },
    status: {
      phase: "Pending",
      initContainerStatuses: [
        reported({ terminated: { exitCode: 1, reason: "Error" } }, { name: "init", restartCount: 2 }),
      ],
    },
    cells: ["0/1", "Init:Error", "2"],
  },
  {
    name: "with a sidecar",
    spec: { initContainers: [sidecar] },
    status: {
      phase: "Running",
      conditions: [{ type: "Initialized", status: "True" }],
      initContainerStatuses: [{ ...running, name: "side", restartCount: 1 }],
      containerStatuses: [running],
    },
    cells: ["2/2", "Running", "1"],
  },
];

for (const { name, spec, status, deleted, cells } of cases) {
  test(`kubectl get pods: ${name}`, () => {
    const pod = samplePod((it) => {
      Object.assign(it.spec, spec);
      it.status = status;
      if (deleted) it.metadata.deletionTimestamp = "2026-01-02T03:59:00Z";
    });
    const { ready, status: text, restarts } = summarizePod(pod, nowMs);
    assert.deepEqual([ready, text, restarts], cells);
  });
}
