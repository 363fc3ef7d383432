import assert from "node:assert/strict";
import { test } from "node:test";
import { isNotFound, type New, type Pod, Pods, ResourceClaims, ResourceClaimTemplates } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { Web } from "../fixtures/workloads.ts";
import { claimFrom } from "./plan.ts";

const requests = [{ name: "gpu", exactly: { deviceClassName: "gpu" } }];
const template = {
  metadata: { name: "gpus", namespace: "default" },
  spec: { metadata: { labels: { of: "gpu" }, annotations: { note: "x" } }, spec: { devices: { requests } } },
};
const pod = (resourceClaims: Pod["spec"]["resourceClaims"]): New<Pod> => ({
  metadata: { name: "p", namespace: "default" },
  // A gate keeps it from the scheduler, which knows of devices by itself.
  spec: { containers: [{ name: "main", image: "i" }], resourceClaims, schedulingGates: [{ name: "example.com/wait" }] },
});
const wanted = [{ name: "card", resourceClaimTemplateName: "gpus" }];

const allocation = {
  devices: { results: [{ request: "gpu", driver: "d.example.com", pool: "a", device: "g0" }] },
};

test("a pod gets its claim from a template, also one that comes later, and the claim goes with it", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const { metadata } = await client.create(Pods, pod(wanted), { signal });
  const missing =
    'FailedResourceClaimCreation PodResourceClaim card: resource claim template "gpus": resourceclaimtemplate.resource.k8s.io "gpus" not found';
  await cluster.eventually(async () => (await new Web(cluster).events("p")).includes(missing));
  await client.create(ResourceClaimTemplates, template, { signal });
  const name = await cluster.eventually(async () => {
    const [status] = (await client.get(Pods, metadata, { signal })).status?.resourceClaimStatuses ?? [];
    return status?.name === "card" && (status.resourceClaimName ?? false);
  });
  assert.match(String(name), /^p-card-.{5}$/);
  const ref = { namespace: "default", name: String(name) };
  const claim = await client.get(ResourceClaims, ref, { signal });
  assert.deepEqual(claim.metadata.labels, { of: "gpu" });
  assert.deepEqual(claim.metadata.annotations, { note: "x", "resource.kubernetes.io/pod-claim-name": "card" });
  assert.equal(claim.metadata.ownerReferences?.[0]?.uid, metadata.uid);
  await client.delete(Pods, metadata, { signal });
  await cluster.eventually(async () => {
    await assert.rejects(client.get(ResourceClaims, ref, { signal }), isNotFound);
  });
});

test("devices are free again when the last pod that uses them is gone", async () => {
  await using cluster = await TestCluster.start();
  const { client, signal } = cluster;
  const ref = { namespace: "default", name: "shared" };
  await client.create(ResourceClaims, { metadata: { ...ref }, spec: { devices: { requests } } }, { signal });
  const { metadata } = await client.create(Pods, pod([{ name: "card", resourceClaimName: "shared" }]), { signal });
  const claim = await client.get(ResourceClaims, ref, { signal });
  const finalizers = ["resource.kubernetes.io/delete-protection"];
  const held = await client.update(
    ResourceClaims,
    { ...claim, metadata: { ...claim.metadata, finalizers } },
    { signal },
  );
  const reservedFor = [{ resource: "pods", name: "p", uid: metadata.uid }];
  await client.updateStatus(ResourceClaims, { ...held, status: { allocation, reservedFor } }, { signal });
  await cluster.advance(60_000);
  const used = await client.get(ResourceClaims, ref, { signal });
  assert.deepEqual([used.status?.reservedFor?.length, used.metadata.finalizers], [1, finalizers]);
  await client.delete(Pods, metadata, { signal });
  await cluster.eventually(async () => {
    const { metadata, status } = await client.get(ResourceClaims, ref, { signal });
    return (
      status?.allocation === undefined && status?.reservedFor === undefined && (metadata.finalizers ?? []).length === 0
    );
  });
});

test("long names are shortened in proportion", () => {
  const meta = { name: "a".repeat(60), namespace: "n", uid: "u", resourceVersion: "1", creationTimestamp: "" };
  const owner: Pod = { metadata: meta, spec: { containers: [] }, status: {} };
  const made = claimFrom(owner, {
    name: "b".repeat(38),
    template: { metadata: meta, spec: { spec: { devices: { requests } } } },
  });
  assert.equal(made.metadata.generateName, `${"a".repeat(34)}-${"b".repeat(21)}`);
});
