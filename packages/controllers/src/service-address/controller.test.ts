import assert from "node:assert/strict";
import { test } from "node:test";
import { Events, IPAddresses, isNotFound, ServiceCIDRs, Services } from "@skiff/api";
import { TestCluster } from "@skiff/testing";

const namespace = "default";
const web = { namespace, name: "web" };
const managed = {
  "ipaddress.kubernetes.io/ip-family": "IPv4",
  "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
};
const parentRef = { group: "", resource: "services", ...web };

class Scene implements AsyncDisposable {
  readonly cluster: TestCluster;
  private constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  static async open(): Promise<Scene> {
    const cluster = await TestCluster.start({ nodes: 0 });
    const { client, signal } = cluster;
    await client.create(
      ServiceCIDRs,
      { metadata: { name: "kubernetes" }, spec: { cidrs: ["10.96.0.0/16"] } },
      { signal },
    );
    const spec = { clusterIP: "10.96.0.77", ports: [{ port: 80 }] };
    await client.create(Services, { metadata: { ...web }, spec }, { signal });
    return new Scene(cluster);
  }

  async parentOf(name: string): Promise<string> {
    const { client, signal } = this.cluster;
    const { metadata, spec } = await client.get(IPAddresses, { name }, { signal });
    assert.deepEqual(metadata.labels, managed);
    return `${spec?.parentRef?.resource} ${spec?.parentRef?.namespace}/${spec?.parentRef?.name}`;
  }

  async make(name: string, ref: object, labels: Record<string, string> = managed): Promise<void> {
    const { client, signal } = this.cluster;
    const spec = { parentRef: { group: "", resource: "services", name: "x", ...ref } };
    await client.create(IPAddresses, { metadata: { name, labels }, spec }, { signal });
  }

  async remove(name: string): Promise<void> {
    await this.cluster.client.delete(IPAddresses, { name }, { signal: this.cluster.signal });
  }

  async told(): Promise<readonly string[]> {
    const { client, signal } = this.cluster;
    const { items } = await client.list(Events, { signal });
    return items.flatMap(({ reason, message }) => (/IP/.test(reason ?? "") ? [`${reason}: ${message}`] : []));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]();
  }
}

const address = "10.96.0.77";

test("what is right is left alone", async () => {
  await using scene = await Scene.open();
  await scene.cluster.advance(300_000);
  assert.deepEqual([await scene.parentOf(address), await scene.told()], ["services default/web", []]);
});

const repairs = [
  {
    what: "deleted",
    again: undefined,
    told: ["ClusterIPNotAllocated: Cluster IP [IPv4]: 10.96.0.77 is not allocated; repairing"],
  },
  {
    what: "given to something else",
    again: { labels: {}, ref: { resource: "gateways" } },
    told: [
      "ClusterIPNotAllocated: the ClusterIP [IPv4]: 10.96.0.77 for Service default/web has a wrong reference; repairing",
    ],
  },
  {
    what: "given to a Service that is not there",
    again: { labels: {}, ref: { namespace, name: "nobody" } },
    told: [
      "ClusterIPNotAllocated: the ClusterIP [IPv4]: 10.96.0.77 for Service default/web has a wrong reference; repairing",
    ],
  },
  { what: "stripped of its labels", again: { labels: {}, ref: parentRef }, told: [] },
];

for (const { what, again, told } of repairs) {
  test(`the object of an address that was ${what} is mended`, async () => {
    await using scene = await Scene.open();
    await scene.remove(address);
    if (again !== undefined) await scene.make(address, again.ref, again.labels);
    await scene.cluster.eventually(async () => assert.equal(await scene.parentOf(address), "services default/web"));
    await scene.cluster.eventually(async () => assert.deepEqual(await scene.told(), told));
  });
}

const leftovers = [
  {
    what: "of a Service that is not there",
    ref: { namespace, name: "nobody" },
    told: "IPAddressNotAllocated: IPAddress: 10.96.0.99 for Service default/nobody appears to have leaked: cleaning up",
  },
  {
    what: "of a Service that has another",
    ref: parentRef,
    told: "IPAddressWrongReference: IPAddress: 10.96.0.99 for Service default/web has a wrong reference; cleaning up",
  },
];

for (const { what, ref, told } of leftovers) {
  test(`the object of an address ${what} goes`, async () => {
    await using scene = await Scene.open();
    const { client, signal } = scene.cluster;
    await scene.make("10.96.0.99", ref);
    await scene.cluster.eventually(
      async () => {
        await assert.rejects(client.get(IPAddresses, { name: "10.96.0.99" }, { signal }), isNotFound);
      },
      { withinMs: 120_000 },
    );
    await scene.cluster.eventually(async () => assert.deepEqual(await scene.told(), [told]));
  });
}

test("addresses that others keep account of are theirs", async () => {
  await using scene = await Scene.open();
  const { client, signal } = scene.cluster;
  await scene.make("10.96.0.99", { namespace, name: "nobody" }, {});
  await scene.cluster.advance(300_000);
  assert.ok(await client.get(IPAddresses, { name: "10.96.0.99" }, { signal }));
});
