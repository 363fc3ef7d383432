import assert from "node:assert/strict";
import { it } from "node:test";
import { type Pod, type PodStatus, Pods } from "@skiff/api";
import { silentLogger, VirtualClock } from "@skiff/base";
import { createClient } from "@skiff/client";
import { MemoryApi } from "../fixtures/memory-api.ts";
import { podOf } from "../fixtures/objects.ts";
import { MirrorPods } from "../static-pods/mirror-pods.ts";
import { LifeCounts } from "./life-counts.ts";
import { StatusWriter } from "./status-writer.ts";

const { signal } = new AbortController();

const making = (podIP?: string): PodStatus => ({
  phase: "Pending",
  ...(podIP === undefined ? {} : { podIP }),
  containerStatuses: [
    {
      name: "main",
      image: "i",
      imageID: "",
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: "ContainerCreating" } },
    },
  ],
});

/** A pod of which nothing has been told. */
async function newPod() {
  const clock = new VirtualClock();
  const api = new MemoryApi(clock);
  const client = createClient(api);
  const made = podOf({});
  api.put("pods", made);
  const { name, namespace } = made.metadata;
  const read = () => client.get(Pods, { name, namespace }, { signal });
  const pod: Pod = await read();
  const mirrors = new MirrorPods({ client, nodeName: "node-1", clock, logger: silentLogger });
  const writer = new StatusWriter({ client, clock, logger: silentLogger, mirrors, lifeCounts: new LifeCounts() });
  const phase = async () => (await read()).status?.phase;
  const ip = async () => (await read()).status?.podIP;
  return { clock, writer, pod, phases: () => api.phases.get(name) ?? [], phase, ip };
}

/** A pod of which it has been told that its containers are being made. */
async function toldPod() {
  const made = await newPod();
  made.writer.set(made.pod, making(), signal);
  await made.clock.advance(299);
  assert.equal(await made.phase(), undefined);
  await made.clock.advance(1);
  assert.equal(await made.phase(), "Pending");
  return made;
}

it("tells of a pod that runs soon but once", async () => {
  const { clock, writer, pod, phases } = await newPod();
  writer.set(pod, making(), signal);
  await clock.advance(200);
  writer.set(pod, { phase: "Running", podIP: "10.0.0.1" }, signal);
  await clock.advance(1000);
  assert.deepEqual(phases(), ["Running"]);
});

it("tells of an address when the pod's containers take long", async () => {
  const { clock, writer, pod, ip } = await toldPod();
  writer.set(pod, making("10.0.0.1"), signal);
  await clock.advance(299);
  assert.equal(await ip(), undefined);
  await clock.advance(1);
  assert.equal(await ip(), "10.0.0.1");
});

it("tells of an address and that the pod runs in one, where that comes soon", async () => {
  const { clock, writer, pod, phases, ip } = await toldPod();
  writer.set(pod, making("10.0.0.1"), signal);
  await clock.advance(200);
  writer.set(pod, { phase: "Running", podIP: "10.0.0.1" }, signal);
  await clock.advance(0);
  assert.deepEqual([phases(), await ip()], [["Pending", "Running"], "10.0.0.1"]);
});

it("keeps nobody waiting who wants all told", async () => {
  const { writer, pod, ip } = await toldPod();
  writer.set(pod, making("10.0.0.1"), signal);
  await writer.flushed();
  assert.equal(await ip(), "10.0.0.1");
});
