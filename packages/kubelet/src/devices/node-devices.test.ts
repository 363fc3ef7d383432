import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Nodes } from "@skiff/api";
import { isJsonObject, seededRandom, systemClock } from "@skiff/base";
import { createClient } from "@skiff/client";
import { fileLogs, SimulatedRuntime } from "@skiff/runtime";
import { healthy, TestDevicePlugin, type TestDevicePluginOptions } from "../fixtures/device-plugin.ts";
import { NodeFixture } from "../fixtures/node-fixture.ts";

const { signal } = new AbortController();
const resource = "example.com/card";

async function start() {
  const runtime = new SimulatedRuntime({
    clock: systemClock,
    random: seededRandom(2),
    podCidr: "10.42.0.0/24",
    logs: fileLogs,
    images: ["skiff/hello:1"],
  });
  const node = await NodeFixture.start({ clock: systemClock, runtime });
  const folder = join(node.folder, "kubelet/device-plugins");
  const client = createClient(node.api);
  const until = async (condition: () => boolean | Promise<boolean>) => {
    while (!(await condition())) await systemClock.sleep(5, signal);
  };
  const plugin = (more: Partial<TestDevicePluginOptions> = {}) =>
    TestDevicePlugin.start({ folder, resource, devices: healthy("a", "b"), ...more });
  const counts = async () => {
    const { capacity = {}, allocatable = {} } = (await client.get(Nodes, { name: "node-1" }, { signal })).status ?? {};
    return [capacity[resource], allocatable[resource]];
  };
  const told = (expected: readonly (string | undefined)[]) =>
    until(async () => String(await counts()) === String(expected));
  const create = (name: string, count: number) =>
    node.create(name, {
      containers: [{ name: "main", image: "skiff/hello:1", resources: { limits: { [resource]: String(count) } } }],
    });
  const phase = (name: string) => node.pod(name)?.status.phase;
  const ends = (name: string, expected: string) => until(() => phase(name) === expected);
  return { node, folder, until, plugin, told, create, ends, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

describe("devices of a node", () => {
  it("are counted in the node's status, given to pods, and free again when they end", async () => {
    await using test = await start();
    await using plugin = await test.plugin();
    await test.told(["2", "2"]);
    test.create("first", 2);
    await test.ends("first", "Running");
    assert.deepEqual(plugin.allocations, [{ containerRequests: [{ ids: ["a", "b"] }] }]);
    test.create("second", 1);
    await test.ends("second", "Failed");
    const status = test.node.pod("second")?.status;
    const why =
      "Allocate failed due to requested number of devices unavailable for example.com/card. Requested: 1, Available: 0, which is unexpected";
    assert.deepEqual([status?.reason, status?.message], ["UnexpectedAdmissionError", `Pod was rejected: ${why}`]);
    assert.deepEqual(test.node.events.find((one) => one.name === "second")?.message, why);
    await test.node.delete("first");
    await test.until(() => test.node.pod("first") === undefined);
    test.create("third", 1);
    await test.ends("third", "Running");
  });

  it("are not given to containers that have theirs by claim", async () => {
    await using test = await start();
    await using plugin = await test.plugin();
    await test.told(["2", "2"]);
    const limits = { [resource]: "5" };
    const mapping = { containerName: "main", resourceName: resource, requestName: "r" };
    const create = (name: string, status: object) =>
      test.node.api.put("pods", {
        metadata: { name, namespace: "default" },
        spec: {
          nodeName: "node-1",
          containers: [{ name: "main", image: "skiff/hello:1", resources: { requests: limits, limits } }],
        },
        status,
      });
    create("plain", {});
    await test.ends("plain", "Failed");
    assert.equal(test.node.pod("plain")?.status.reason, "UnexpectedAdmissionError");
    create("claims", { extendedResourceClaimStatus: { requestMappings: [mapping], resourceClaimName: "gone" } });
    // It has been taken, and waits for its claim.
    await test.until(() => test.node.events.some((one) => one.reason === "FailedPrepareDynamicResources"));
    assert.deepEqual(plugin.allocations, []);
  });

  it("follow what their plugin says, and are of no use without it", async () => {
    await using test = await start();
    const plugin = await test.plugin();
    await test.told(["2", "2"]);
    plugin.update([...healthy("a"), { id: "b", health: "Unhealthy" }, ...healthy("c")]);
    await test.told(["3", "2"]);
    await plugin[Symbol.asyncDispose]();
    await test.told(["3", "0"]);
    test.create("early", 1);
    await test.ends("early", "Failed");
    assert.match(test.node.pod("early")?.status.message ?? "", /no healthy devices present/);
    await using _ = await test.plugin();
    await test.told(["2", "2"]);
  });

  it("are told of in the status of who has them, well or not", async () => {
    await using test = await start();
    const plugin = await test.plugin();
    await test.told(["2", "2"]);
    test.create("uses", 2);
    await test.ends("uses", "Running");
    const said = (health: string) =>
      test.until(
        () =>
          JSON.stringify(test.node.pod("uses")?.status.containerStatuses?.[0]?.allocatedResourcesStatus) ===
          JSON.stringify([
            {
              name: resource,
              resources: [
                { resourceID: "a", health: "Healthy" },
                { resourceID: "b", health },
              ],
            },
          ]),
      );
    await said("Healthy");
    plugin.update([...healthy("a"), { id: "b", health: "Unhealthy" }]);
    await said("Unhealthy");
    plugin.update(healthy("a", "b"));
    await said("Healthy");
    await plugin[Symbol.asyncDispose]();
  });

  it("stay with their pods when the kubelet is started again", async () => {
    await using test = await start();
    await using plugin = await test.plugin({ prefer: (available) => available.toReversed(), options: preferring });
    await test.told(["2", "2"]);
    test.create("stays", 1);
    await test.ends("stays", "Running");
    assert.deepEqual(plugin.allocations[0]?.containerRequests[0]?.ids, ["b"]);
    await test.node.stopAgent();
    const checkpoint: unknown = JSON.parse(await readFile(join(test.folder, "kubelet_internal_checkpoint"), "utf8"));
    assert.ok(isJsonObject(checkpoint) && isJsonObject(checkpoint.Data));
    assert.deepEqual(checkpoint.Data.RegisteredDevices, { [resource]: ["a", "b"] });
    await test.node.startAgent();
    await test.told(["0", "0"]);
    // The kubelet took its socket away when it began: the plugin makes itself known again.
    await using again = await test.plugin({ options: preferring });
    await test.told(["2", "2"]);
    test.create("next", 1);
    await test.ends("next", "Running");
    assert.deepEqual(again.allocations[0]?.containerRequests[0]?.ids, ["a"]);
    test.create("late", 1);
    await test.ends("late", "Failed");
  });

  it("are not taken from plugins of another version, or by a name of Kubernetes' own", async () => {
    await using test = await start();
    await using plugin = await test.plugin();
    const unknown = /requested API version "v2" is not supported by kubelet\. Supported version is "v1beta1"/;
    await assert.rejects(plugin.register("v2"), unknown);
    await assert.rejects(plugin.register("v1beta1", "cpu"), /the ResourceName "cpu" is invalid/);
  });
});

const preferring = { preStartRequired: false, getPreferredAllocationAvailable: true };
