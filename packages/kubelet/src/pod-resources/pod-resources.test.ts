import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom, systemClock } from "@skiff/base";
import { fileLogs, SimulatedRuntime } from "@skiff/runtime";
import { parseKubeletConfiguration } from "../config/kubelet-configuration.ts";
import { heldClaim, TestClaimDriver } from "../fixtures/claim-driver.ts";
import { healthy, TestDevicePlugin } from "../fixtures/device-plugin.ts";
import { NodeFixture } from "../fixtures/node-fixture.ts";
import { machineOf } from "../fixtures/topologies.ts";
import { PluginClient } from "../plugins/plugin-client.ts";
import { podResourcesLister } from "./messages.ts";

const { signal } = new AbortController();
const resource = "example.com/card";

test("whoever asks is told which devices, CPUs, memory and claims containers have", async () => {
  const configuration = parseKubeletConfiguration({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    cpuManagerPolicy: "static",
    reservedSystemCPUs: "0",
    memoryManagerPolicy: "Static",
  });
  const runtime = new SimulatedRuntime({
    clock: systemClock,
    random: seededRandom(2),
    podCidr: "10.42.0.0/24",
    logs: fileLogs,
    images: ["skiff/hello:1"],
  });
  const topology = machineOf(2, 2, 1);
  await using node = await NodeFixture.start({ clock: systemClock, runtime, configuration, topology });
  const rootFolder = join(node.folder, "kubelet");
  const devices = healthy("a", "b").map((one, id) => ({ ...one, topology: { nodes: [{ id }] } }));
  await using _ = await TestDevicePlugin.start({ folder: join(rootFolder, "device-plugins"), resource, devices });
  await using __ = await TestClaimDriver.start({
    name: "nics.example.com",
    rootFolder,
    prepare: () => ({
      devices: [{ poolName: "node-1", deviceName: "card0", cdiDeviceIds: ["example.com/nic=card0"] }],
    }),
  });
  node.api.put("resourceclaims", heldClaim("held", "nics.example.com", ["uid-p"]));
  using client = new PluginClient(join(rootFolder, "pod-resources/kubelet.sock"), systemClock);
  const allocatable = async () => await client.call(podResourcesLister.getAllocatable, {}, { signal });
  while ((await allocatable()).devices.length < 2) await systemClock.sleep(5, signal);
  const { devices: offered, cpuIds, memory } = await allocatable();
  const nodesOf = (of: { topology: { nodes: readonly { id: number }[] } | undefined }) =>
    of.topology?.nodes.map(({ id }) => id);
  assert.deepEqual(
    offered.map((one) => [one.resourceName, one.deviceIds, nodesOf(one)]),
    [
      [resource, ["a"], [0]],
      [resource, ["b"], [1]],
    ],
  );
  assert.deepEqual(cpuIds, [1, 2, 3]);
  assert.deepEqual(
    memory.map((one) => [one.memoryType, one.size, nodesOf(one)]),
    [
      ["memory", 16 * 2 ** 30, [0]],
      ["memory", 16 * 2 ** 30, [1]],
    ],
  );
  const amounts = { cpu: "2", memory: "1Gi", [resource]: "1" };
  node.create(
    "p",
    {
      containers: [
        {
          name: "main",
          image: "skiff/hello:1",
          resources: { limits: amounts, requests: amounts, claims: [{ name: "c" }] },
        },
      ],
      resourceClaims: [{ name: "c", resourceClaimName: "held" }],
    },
    { uid: "uid-p" },
  );
  while (node.pod("p")?.status.phase !== "Running") await systemClock.sleep(5, signal);
  const { podResources } = await client.call(podResourcesLister.list, {}, { signal });
  const [container] = podResources[0]?.containers ?? [];
  assert.deepEqual([podResources.length, podResources[0]?.name, container?.name], [1, "p", "main"]);
  assert.deepEqual(
    container?.devices.map((one) => one.deviceIds),
    [["a"]],
  );
  assert.deepEqual(container?.cpuIds, [2, 3]);
  assert.deepEqual(
    container?.memory.map((one) => [one.memoryType, one.size, nodesOf(one)]),
    [["memory", 2 ** 30, [0]]],
  );
  assert.deepEqual(container?.dynamicResources, [
    {
      claimName: "held",
      claimNamespace: "default",
      claimResources: [
        {
          cdiDevices: [{ name: "example.com/nic=card0" }],
          driverName: "nics.example.com",
          poolName: "node-1",
          deviceName: "card0",
        },
      ],
    },
  ]);
  const one = await client.call(podResourcesLister.get, { podName: "p", podNamespace: "default" }, { signal });
  assert.deepEqual(one.podResources, podResources[0]);
  const unknown = client.call(podResourcesLister.get, { podName: "q", podNamespace: "default" }, { signal });
  await assert.rejects(unknown, /pod q in namespace default not found/);
});
