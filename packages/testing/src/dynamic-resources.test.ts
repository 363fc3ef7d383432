import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DeviceClasses,
  type DynamicResourceClaim,
  isNotFound,
  type New,
  type Pod,
  Pods,
  podCondition,
  ResourceClaims,
  ResourceClaimTemplates,
  ResourceQuotas,
  ResourceSlices,
} from "@skiff/api";
import { TestCluster } from "./test-cluster.ts";

const driver = "gpu.example.com";
const requests = [{ name: "gpu", exactly: { deviceClassName: "gpu" } }];

/** A cluster whose node `a` has devices of these names, and a class for them. */
async function start(devices: readonly string[]) {
  const cluster = await TestCluster.start({ nodes: 2 });
  const { client, signal } = cluster;
  const selectors = [{ cel: { expression: `device.driver == "${driver}"` } }];
  await client.create(DeviceClasses, { metadata: { name: "gpu" }, spec: { selectors } }, { signal });
  const spec = { devices: { requests } };
  await client.create(
    ResourceClaimTemplates,
    { metadata: { name: "gpus", namespace: "default" }, spec: { spec } },
    { signal },
  );
  const nodeName = "node-1";
  const publish = () =>
    client.create(
      ResourceSlices,
      {
        metadata: { name: "slice" },
        spec: {
          driver,
          nodeName,
          pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
          devices: devices.map((name) => ({ name })),
        },
      },
      { signal },
    );
  const pod = (name: string, claim: object = { resourceClaimTemplateName: "gpus" }): New<Pod> => ({
    metadata: { name, namespace: "default" },
    spec: {
      containers: [{ name: "main", image: "i", resources: { claims: [{ name: "card" }] } }],
      resourceClaims: [{ name: "card", ...claim }],
    },
  });
  const create = (name: string, claim?: object) => client.create(Pods, pod(name, claim), { signal });
  const now = (name: string) => client.get(Pods, { namespace: "default", name }, { signal });
  const nodeOf = async (name: string) => (await now(name)).spec.nodeName;
  const why = async (name: string) => podCondition(await now(name), "PodScheduled")?.message;
  const claimOf = async (name: string): Promise<DynamicResourceClaim> => {
    const claimName = (await now(name)).status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? "";
    return await client.get(ResourceClaims, { namespace: "default", name: claimName }, { signal });
  };
  return {
    cluster,
    client,
    signal,
    nodeName,
    publish,
    create,
    nodeOf,
    why,
    claimOf,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

test("a pod goes where its devices are, and its claim says which they are and who uses them", async () => {
  await using on = await start(["g0", "g1"]);
  await on.publish();
  const { metadata } = await on.create("p");
  await on.cluster.eventually(async () => (await on.nodeOf("p")) === on.nodeName);
  const { status, metadata: claim } = await on.claimOf("p");
  assert.deepEqual(status.allocation, {
    devices: { results: [{ request: "gpu", driver, pool: on.nodeName, device: "g0" }] },
    nodeSelector: {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [on.nodeName] }] }],
    },
  });
  assert.deepEqual(status.reservedFor, [{ resource: "pods", name: "p", uid: metadata.uid }]);
  assert.deepEqual(claim.finalizers, ["resource.kubernetes.io/delete-protection"]);
});

test("no device is given twice, and one that is free again goes to who waits for it", async () => {
  await using on = await start(["g0", "g1"]);
  await on.publish();
  for (const name of ["p", "q", "r"]) await on.create(name);
  const placed = async () => (await Promise.all(["p", "q", "r"].map(on.nodeOf))).filter(Boolean).length;
  await on.cluster.eventually(async () => (await placed()) === 2);
  const waiting = (await on.nodeOf("p")) === undefined ? "p" : (await on.nodeOf("q")) === undefined ? "q" : "r";
  await on.cluster.eventually(
    async () =>
      (await on.why(waiting)) ===
      "0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  );
  const ends = ["p", "q", "r"].find((name) => name !== waiting) ?? "";
  await on.client.delete(Pods, { namespace: "default", name: ends }, { signal: on.signal, gracePeriodSeconds: 0 });
  await on.cluster.eventually(async () => (await on.nodeOf(waiting)) === on.nodeName);
});

test("a selector that fails on one node keeps the pod from all, until it no longer does", async () => {
  await using on = await start([]);
  const { client, signal } = on;
  const publish = (nodeName: string, attributes: Readonly<Record<string, { readonly bool: boolean }>>) =>
    client.create(
      ResourceSlices,
      {
        metadata: { name: nodeName },
        spec: {
          driver,
          nodeName,
          pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
          devices: [{ name: "g0", attributes }],
        },
      },
      { signal },
    );
  await publish("node-1", { exists: { bool: true } });
  await publish("node-2", {});
  const selectors = [{ cel: { expression: `device.attributes["${driver}"].exists` } }];
  const exactly = { deviceClassName: "gpu", selectors };
  const spec = { devices: { requests: [{ name: "gpu", exactly }] } };
  await client.create(ResourceClaims, { metadata: { name: "c", namespace: "default" }, spec }, { signal });
  await on.create("p", { resourceClaimName: "c" });
  const scheduled = async () =>
    podCondition(await client.get(Pods, { namespace: "default", name: "p" }, { signal }), "PodScheduled");
  await on.cluster.eventually(async () => (await scheduled())?.reason === "SchedulerError");
  assert.equal(
    (await scheduled())?.message,
    'running "DynamicResources" filter plugin: claim default/c: selector #0: CEL runtime error: no such key: exists',
  );
  assert.equal(await on.nodeOf("p"), undefined);
  await client.delete(ResourceSlices, { name: "node-2" }, { signal });
  await on.cluster.eventually(async () => (await on.nodeOf("p")) === "node-1");
});

test("a pod waits for its class and for devices, and says so", async () => {
  await using on = await start(["g0"]);
  await on.client.delete(DeviceClasses, { name: "gpu" }, { signal: on.signal });
  await on.create("p");
  await on.cluster.eventually(
    async () =>
      (await on.why("p"))?.startsWith("0/2 nodes are available: request gpu: device class gpu does not exist.") ===
      true,
  );
  await on.client.create(DeviceClasses, { metadata: { name: "gpu" }, spec: {} }, { signal: on.signal });
  await on.cluster.eventually(async () => (await on.why("p"))?.includes("2 cannot allocate all claims") === true);
  await on.publish();
  await on.cluster.eventually(async () => (await on.nodeOf("p")) === on.nodeName);
});

test("pods that share a claim share its devices, and a claim that is yet to be made is waited for", async () => {
  await using on = await start(["g0"]);
  await on.publish();
  const shared = { resourceClaimName: "shared" };
  await on.create("p", shared);
  await on.create("q", shared);
  await on.cluster.advance(10_000);
  assert.equal(await on.nodeOf("p"), undefined);
  const { signal } = on;
  const ref = { name: "shared", namespace: "default" };
  await on.client.create(ResourceClaims, { metadata: { ...ref }, spec: { devices: { requests } } }, { signal });
  await on.cluster.eventually(
    async () => (await on.nodeOf("p")) === on.nodeName && (await on.nodeOf("q")) === on.nodeName,
  );
  const users = (await on.client.get(ResourceClaims, ref, { signal })).status.reservedFor?.map(({ name }) => name);
  assert.deepEqual(users?.sort(), ["p", "q"]);
});

test("a claim whose devices are where the pod cannot go loses them when nobody else uses it", async () => {
  await using on = await start(["g0"]);
  await on.publish();
  const { signal } = on;
  const ref = { name: "stuck", namespace: "default" };
  const claim = await on.client.create(
    ResourceClaims,
    { metadata: { ...ref }, spec: { devices: { requests } } },
    { signal },
  );
  const allocation = {
    devices: { results: [{ request: "gpu", driver, pool: on.nodeName, device: "g0" }] },
    nodeSelector: {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["elsewhere"] }] }],
    },
  };
  await on.client.updateStatus(ResourceClaims, { ...claim, status: { allocation } }, { signal });
  await on.create("p", { resourceClaimName: "stuck" });
  await on.cluster.eventually(async () => (await on.nodeOf("p")) === on.nodeName);
});

test("devices that have to be made ready are waited for", async () => {
  await using on = await start([]);
  const { signal, client } = on;
  const device = { name: "g0", bindingConditions: ["Attached"], bindingFailureConditions: ["Broken"] };
  const pool = { name: on.nodeName, generation: 1, resourceSliceCount: 1 };
  const spec = { driver, nodeName: on.nodeName, pool, devices: [device] };
  await client.create(ResourceSlices, { metadata: { name: "slice" }, spec }, { signal });
  await on.create("p");
  await on.cluster.eventually(async () => (await on.claimOf("p")).status.allocation !== undefined);
  await on.cluster.advance(30_000);
  const waiting = await on.client.get(Pods, { name: "p", namespace: "default" }, { signal });
  assert.equal(waiting.spec.nodeName, undefined);
  assert.equal(waiting.status?.nominatedNodeName, on.nodeName, "it is told where the pod will go");
  const claim = await on.claimOf("p");
  assert.ok(claim.status.allocation?.allocationTimestamp !== undefined);
  const condition = {
    type: "Attached",
    status: "True",
    reason: "Done",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const devices = [{ driver, pool: on.nodeName, device: "g0", conditions: [condition] }];
  await client.updateStatus(ResourceClaims, { ...claim, status: { ...claim.status, devices } }, { signal });
  await on.cluster.eventually(async () => (await on.nodeOf("p")) === on.nodeName);
});
/** Pods that ask for devices by the name of a resource: `example.com/gpu`. */
const byName = (name: string, amount = "1", resource = "example.com/gpu"): New<Pod> => ({
  metadata: { name, namespace: "default" },
  spec: {
    containers: [
      {
        name: "main",
        image: "i",
        resources: { requests: { [resource]: amount }, limits: { [resource]: amount } },
      },
    ],
  },
});

test("devices can be asked for by the name of a resource, which a claim of its own then has", async () => {
  await using on = await start(["g0", "g1"]);
  const { client, signal, cluster } = on;
  const ask = (name: string, amount?: string, resource?: string) =>
    client.create(Pods, byName(name, amount, resource), { signal });
  const { metadata } = await ask("p");
  await cluster.eventually(async () => (await on.why("p"))?.includes("2 Insufficient example.com/gpu") === true);
  await client.patch(
    DeviceClasses,
    { name: "gpu" },
    { spec: { extendedResourceName: "example.com/gpu" } },
    { type: "merge", signal },
  );
  await cluster.eventually(async () => (await on.why("p"))?.includes("2 cannot allocate all claims") === true);
  await on.publish();
  await cluster.eventually(async () => (await on.nodeOf("p")) === on.nodeName);
  const { extendedResourceClaimStatus: told } = (await client.get(Pods, metadata, { signal })).status;
  const request = "container-0-request-0";
  assert.deepEqual(told?.requestMappings, [
    { containerName: "main", resourceName: "example.com/gpu", requestName: request },
  ]);
  const ref = { namespace: "default", name: told?.resourceClaimName ?? "" };
  const claim = await client.get(ResourceClaims, ref, { signal });
  assert.match(claim.metadata.name, /^p-extended-resources-.{5}$/);
  assert.deepEqual(claim.metadata.annotations, { "resource.kubernetes.io/extended-resource-claim": "true" });
  assert.deepEqual(claim.metadata.ownerReferences, [
    { apiVersion: "v1", kind: "Pod", name: "p", uid: metadata.uid, controller: true },
  ]);
  assert.deepEqual(claim.spec.devices?.requests, [
    { name: request, exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 1 } },
  ]);
  assert.deepEqual(claim.status.allocation?.devices?.results, [{ request, driver, pool: on.nodeName, device: "g0" }]);
  assert.deepEqual(claim.status.reservedFor, [{ resource: "pods", name: "p", uid: metadata.uid }]);

  // The class is a resource by its own name, too, and both are served from the same devices.
  await ask("q", "1", "deviceclass.resource.kubernetes.io/gpu");
  await cluster.eventually(async () => (await on.nodeOf("q")) === on.nodeName);
  await ask("r");
  await cluster.eventually(async () => (await on.why("r"))?.includes("2 cannot allocate all claims") === true);
  await client.delete(Pods, metadata, { signal, gracePeriodSeconds: 0 });
  await cluster.eventually(async () => (await on.nodeOf("r")) === on.nodeName);
  await assert.rejects(client.get(ResourceClaims, ref, { signal }), isNotFound);
});

test("a quota of a resource counts a pod's devices once", async () => {
  await using on = await start(["g0", "g1"]);
  const { client, signal, cluster } = on;
  await on.publish();
  await client.patch(
    DeviceClasses,
    { name: "gpu" },
    { spec: { extendedResourceName: "example.com/gpu" } },
    { type: "merge", signal },
  );
  const name = "requests.example.com/gpu";
  const ref = { namespace: "default", name: "q" };
  await client.create(ResourceQuotas, { metadata: { ...ref }, spec: { hard: { [name]: "1" } } }, { signal });
  const used = async () => (await client.get(ResourceQuotas, ref, { signal })).status.used?.[name];
  await cluster.eventually(async () => (await used()) === "0");
  await client.create(Pods, byName("p"), { signal });
  await cluster.eventually(async () => (await on.nodeOf("p")) === on.nodeName);
  await cluster.advance(10_000);
  assert.equal(await used(), "1");
  await assert.rejects(client.create(Pods, byName("q"), { signal }), /exceeded quota: q, requested/);
  await assert.rejects(
    client.create(
      ResourceClaims,
      { metadata: { name: "c", namespace: "default" }, spec: { devices: { requests } } },
      { signal },
    ),
    /exceeded quota: q, requested: requests.example.com\/gpu=1, used: requests.example.com\/gpu=1/,
  );
});

test("a claim that was left from a binding that failed goes before the pod is tried again", async () => {
  await using on = await start(["g0"]);
  const { client, signal, cluster } = on;
  await client.patch(
    DeviceClasses,
    { name: "gpu" },
    { spec: { extendedResourceName: "example.com/gpu" } },
    { type: "merge", signal },
  );
  const { metadata } = await client.create(Pods, byName("p"), { signal });
  await cluster.eventually(async () => (await on.why("p"))?.includes("2 cannot allocate all claims") === true);
  const { uid, name } = metadata;
  const left = await client.create(
    ResourceClaims,
    {
      metadata: {
        name: "left",
        namespace: "default",
        annotations: { "resource.kubernetes.io/extended-resource-claim": "true" },
        ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid, controller: true }],
        finalizers: ["resource.kubernetes.io/delete-protection"],
      },
      spec: { devices: { requests } },
    },
    { signal },
  );
  await on.publish();
  await cluster.eventually(async () => (await on.nodeOf("p")) === on.nodeName);
  await assert.rejects(client.get(ResourceClaims, left.metadata, { signal }), isNotFound);
});
