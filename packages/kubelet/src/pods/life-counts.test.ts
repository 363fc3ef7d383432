import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerStatus, PodStatus } from "@skiff/api";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { LifeCounts } from "./life-counts.ts";

const counted = (counts: LifeCounts): readonly string[] =>
  counts
    .list()
    .flatMap(({ name, samples }) =>
      samples.map(({ labels, value }) => [name.slice(8), ...Object.values(labels), value].join(" ")),
    )
    .filter((line) => !line.endsWith(" 0"));

const container = (name: string, state: ContainerStatus["state"]): ContainerStatus => ({
  name,
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
});
const running = { running: {} };
const ended = { terminated: { exitCode: 139, reason: "Error" } };

test("counters without labels begin at 0", () => {
  const names = new LifeCounts().list().map(({ name, samples }) => `${name} ${samples.map(({ value }) => value)}`);
  assert.deepEqual(names, [
    "kubelet_started_pods_total 0",
    "kubelet_started_pods_errors_total 0",
    "kubelet_started_user_namespaced_pods_total 0",
    "kubelet_started_user_namespaced_pods_errors_total 0",
  ]);
});

test("starts are counted by the container's type, failures by their reason too", () => {
  const counts = new LifeCounts();
  const pod = podOf({ initContainers: [containerOf("first")], hostUsers: false });
  counts.podStarts(podOf({}));
  counts.podStarts(pod);
  counts.containerStarts(pod, "first");
  counts.containerStarts(pod, "main");
  counts.containerFailed(pod, "main", "ErrImagePull");
  assert.deepEqual(counted(counts), [
    "started_pods_total 2",
    "started_user_namespaced_pods_total 1",
    "started_user_namespaced_pods_errors_total 1",
    "started_containers_total init_container 1",
    "started_containers_total container 1",
    "started_containers_errors_total container ErrImagePull 1",
  ]);
});

test("an end is counted once, when it becomes part of the status", () => {
  const counts = new LifeCounts();
  const before: PodStatus = { containerStatuses: [container("a", running), container("b", ended)] };
  const after: PodStatus = {
    initContainerStatuses: [container("i", ended)],
    containerStatuses: [container("a", ended), container("b", ended)],
  };
  counts.statusChanged(before, after);
  counts.statusChanged(after, after);
  assert.deepEqual(counted(counts), [
    "terminated_containers_total init_container 139 Error 1",
    "terminated_containers_total container 139 Error 1",
  ]);
});
