import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { seededRandom, systemClock } from "@skiff/base";
import { fileLogs, SimulatedRuntime } from "@skiff/runtime";
import { heldClaim, TestClaimDriver } from "../fixtures/claim-driver.ts";
import { NodeFixture } from "../fixtures/node-fixture.ts";
import { containerClaims } from "./claims-of-pod.ts";

const { signal } = new AbortController();
const name = "cards.example.com";

async function start() {
  const runtime = new SimulatedRuntime({
    clock: systemClock,
    random: seededRandom(2),
    podCidr: "10.42.0.0/24",
    logs: fileLogs,
    images: ["skiff/hello:1"],
  });
  const node = await NodeFixture.start({ clock: systemClock, runtime });
  const until = async (condition: () => boolean) => {
    while (!condition()) await systemClock.sleep(5, signal);
  };
  const driver = (tellsHealth = false) =>
    TestClaimDriver.start({
      name,
      tellsHealth,
      rootFolder: join(node.folder, "kubelet"),
      prepare: () => ({ devices: [{ poolName: "node-1", deviceName: "card0" }] }),
    });
  const create = (pod: string) =>
    node.create(
      pod,
      {
        containers: [{ name: "main", image: "skiff/hello:1", resources: { claims: [{ name: "c" }] } }],
        resourceClaims: [{ name: "c", resourceClaimName: "held" }],
      },
      { uid: `uid-${pod}` },
    );
  const runs = (pod: string) => until(() => node.pod(pod)?.status.phase === "Running");
  const gone = async (pod: string) => {
    await node.delete(pod);
    await until(() => node.pod(pod) === undefined);
  };
  const told = (message: string) =>
    until(() => node.events.some((one) => one.reason === "FailedPrepareDynamicResources" && one.message === message));
  return { node, until, driver, create, runs, gone, told, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

const failed = "Failed to prepare dynamic resources: prepare dynamic resources:";

describe("claims on a node", () => {
  it("wait for their driver, and are given up with their last pod", async () => {
    await using test = await start();
    test.node.api.put("resourceclaims", heldClaim("held", name, ["uid-a", "uid-b"]));
    test.create("a");
    await test.told(`${failed} DRA driver ${name} is not registered`);
    await using driver = await test.driver();
    test.create("b");
    await test.runs("a");
    await test.runs("b");
    assert.deepEqual(driver.prepared, ["held"]);
    await test.gone("a");
    assert.deepEqual(driver.unprepared, []);
    await test.gone("b");
    assert.deepEqual(driver.unprepared, ["held"]);
  });

  it("are told of in the status of who has them, as their driver tells", async () => {
    await using test = await start();
    test.node.api.put("resourceclaims", heldClaim("held", name, ["uid-a"]));
    const driver = await test.driver(true);
    test.create("a");
    await test.runs("a");
    const says = (told: object) =>
      JSON.stringify(test.node.pod("a")?.status.containerStatuses?.[0]?.allocatedResourcesStatus) ===
      JSON.stringify([{ name: "claim:c", resources: [{ resourceID: `${name}/node-1/card0`, ...told }] }]);
    const said = (told: object) => test.until(() => says(told));
    await said({ health: "Unknown" });
    const device = { pool: "node-1", name: "card0" };
    driver.report([{ device, health: 2, message: "too hot" }]);
    await said({ health: "Unhealthy", message: "too hot" });
    driver.report([{ device, health: 1 }]);
    await said({ health: "Healthy" });
    // A word that is no longer repeated does not count for long.
    await test.until(() => {
      driver.report([{ device, health: 2, timeoutSeconds: 1 }]);
      return says({ health: "Unhealthy" });
    });
    await said({ health: "Unknown" });
    driver.report([{ device, health: 1 }]);
    await said({ health: "Healthy" });
    await driver[Symbol.asyncDispose]();
    await said({ health: "Unknown" });
  });

  it("have the devices of resources, for the containers that ask for them", async () => {
    await using test = await start();
    test.node.api.put("resourceclaims", heldClaim("held", name, ["uid-a"]));
    await using driver = await test.driver();
    const requests = { "example.com/card": "1" };
    const mapping = { containerName: "main", resourceName: "example.com/card", requestName: "card" };
    const status = { extendedResourceClaimStatus: { requestMappings: [mapping], resourceClaimName: "held" } };
    const main = { name: "main", image: "skiff/hello:1", resources: { requests, limits: requests } };
    test.node.api.put("pods", {
      metadata: { name: "a", namespace: "default", uid: "uid-a" },
      spec: { nodeName: "node-1", terminationGracePeriodSeconds: 30, containers: [main, { ...main, name: "other" }] },
      status,
    });
    await test.runs("a");
    assert.deepEqual(driver.prepared, ["held"]);
    const pod = test.node.pod("a");
    assert.deepEqual(pod?.status.extendedResourceClaimStatus, status.extendedResourceClaimStatus);
    const claims = (container: string) =>
      pod === undefined ? undefined : containerClaims(pod, { ...main, name: container });
    assert.deepEqual([claims("main"), claims("other")], [[{ name: "held", request: "card" }], []]);
    await test.gone("a");
    assert.deepEqual(driver.unprepared, ["held"]);
  });

  it("may be made after their pod has come to the node", async () => {
    await using test = await start();
    await using driver = await test.driver();
    test.node.create(
      "a",
      {
        containers: [{ name: "main", image: "skiff/hello:1", resources: { claims: [{ name: "c" }] } }],
        resourceClaims: [{ name: "c", resourceClaimTemplateName: "cards" }],
      },
      { uid: "uid-a" },
    );
    await test.told(`${failed} pod "default/a": ResourceClaim not created yet`);
    const held = heldClaim("held", name, ["uid-a"]);
    const owner = { apiVersion: "v1", kind: "Pod", name: "a", uid: "uid-a", controller: true };
    test.node.api.put("resourceclaims", { ...held, metadata: { ...held.metadata, ownerReferences: [owner] } });
    await test.node.api.send({
      verb: "patch",
      group: "",
      version: "v1",
      plural: "pods",
      namespace: "default",
      name: "a",
      patchType: "strategic",
      body: { status: { resourceClaimStatuses: [{ name: "c", resourceClaimName: "held" }] } },
    });
    await test.runs("a");
    assert.deepEqual(driver.prepared, ["held"]);
    assert.equal(test.node.pod("a")?.status.resourceClaimStatuses?.length, 1);
  });

  it("are for those pods alone that they are reserved for", async () => {
    await using test = await start();
    await using driver = await test.driver();
    test.node.api.put("resourceclaims", {
      ...heldClaim("held", name, []),
      metadata: { name: "held", namespace: "default", uid: "u" },
    });
    test.create("a");
    await test.told(`${failed} pod a (uid-a) is not allowed to use ResourceClaim held (u)`);
    assert.deepEqual(driver.prepared, []);
  });

  it("are remembered by a kubelet that is started again, and given up by it", async () => {
    await using test = await start();
    test.node.api.put("resourceclaims", heldClaim("held", name, ["uid-a"]));
    await using driver = await test.driver();
    test.create("a");
    await test.runs("a");
    driver.refuses = "busy";
    await test.node.delete("a");
    await test.until(() => test.node.events.some((one) => one.reason === "Killing"));
    await test.node.stopAgent();
    await test.node.startAgent();
    driver.refuses = undefined;
    await test.until(() => test.node.pod("a") === undefined);
    assert.deepEqual([driver.prepared, driver.unprepared], [["held"], ["held"]]);
  });
});
