import assert from "node:assert/strict";
import { test } from "node:test";
import { IPAddresses, isNotFound, ServiceCIDRs } from "@skiff/api";
import { TestCluster } from "@skiff/testing";
import { isNeeded } from "./plan.ts";

const range = (name: string, ...cidrs: string[]) => ({
  metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "" },
  spec: { cidrs },
  status: {},
});

const cases = [
  { name: "no address", own: ["10.0.0.0/24"], others: [], addresses: [], needed: false },
  { name: "an address", own: ["10.0.0.0/24"], others: [], addresses: ["10.0.0.7"], needed: true },
  { name: "an address elsewhere", own: ["10.0.0.0/24"], others: [], addresses: ["10.0.1.7"], needed: false },
  { name: "a larger range", own: ["10.0.0.0/24"], others: ["10.0.0.0/16"], addresses: ["10.0.0.7"], needed: false },
  { name: "the other half", own: ["10.0.0.0/24"], others: ["10.0.0.0/25"], addresses: ["10.0.0.200"], needed: true },
  { name: "this half", own: ["10.0.0.0/24"], others: ["10.0.0.0/25"], addresses: ["10.0.0.100"], needed: false },
  {
    name: "the other family",
    own: ["10.0.0.0/24", "fd00::/112"],
    others: ["10.0.0.0/8"],
    addresses: ["fd00::1"],
    needed: true,
  },
];

for (const { name, own, others, addresses, needed } of cases) {
  test(`a range of Service addresses is needed: ${name}`, () => {
    const all = [range("own", ...own), ...others.map((cidr, at) => range(`other-${at}`, cidr))];
    assert.equal(isNeeded(range("own", ...own), all, addresses), needed);
  });
}

test("a range is ready at once, and stays while addresses depend on it", async () => {
  await using cluster = await TestCluster.start({ nodes: 0 });
  const { client, signal } = cluster;
  const name = "more";
  await client.create(ServiceCIDRs, { metadata: { name }, spec: { cidrs: ["10.200.0.0/24"] } }, { signal });
  const ready = async () => {
    const { metadata, status } = await client.get(ServiceCIDRs, { name }, { signal });
    const found = status?.conditions?.find(({ type }) => type === "Ready");
    return `${metadata.finalizers?.join()} ${found?.status} ${found?.reason} ${found?.message}`;
  };
  const held = "networking.k8s.io/service-cidr-finalizer";
  await cluster.eventually(async () => assert.equal(await ready(), `${held} True  Kubernetes Service CIDR is ready`));
  const parentRef = { group: "", resource: "services", namespace: "default", name: "web" };
  const address = { name: "10.200.0.9" };
  await client.create(IPAddresses, { metadata: { ...address }, spec: { parentRef } }, { signal });
  await client.delete(ServiceCIDRs, { name }, { signal });
  await cluster.advance(60_000);
  const message =
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
  assert.equal(await ready(), `${held} False Terminating ${message}`);
  await client.delete(IPAddresses, address, { signal });
  await cluster.eventually(async () => {
    await assert.rejects(client.get(ServiceCIDRs, { name }, { signal }), isNotFound);
  });
});
