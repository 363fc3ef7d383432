import assert from "node:assert/strict";
import { test } from "node:test";
import { CertificateSigningRequests, Nodes } from "@skiff/api";
import { createClient } from "@skiff/client";
import { TestCluster } from "@skiff/testing";
import { sampleCertificate, servingRequest } from "../fixtures/certificate-requests.ts";

/** The request names `n1` (DNS) and 10.0.0.1. */
const own = [
  { type: "InternalIP", address: "10.0.0.1" },
  { type: "Hostname", address: "n1" },
];

const rows = [
  { what: "the node's own names", user: "system:node:n1", groups: ["system:nodes"], addresses: own, approved: true },
  { what: "another node asks", user: "system:node:n2", groups: ["system:nodes"], addresses: own, approved: false },
  { what: "no node asks", user: "system:node:n1", groups: ["people"], addresses: own, approved: false },
  {
    what: "an address that the node does not have",
    user: "system:node:n1",
    groups: ["system:nodes"],
    addresses: own.slice(1),
    approved: false,
  },
  {
    what: "an address that another node has too",
    user: "system:node:n1",
    groups: ["system:nodes"],
    addresses: own,
    other: own.slice(0, 1),
    approved: false,
  },
  { what: "there is no such node", user: "system:node:n1", groups: ["system:nodes"], approved: false },
];

for (const { what, user, groups, addresses, other, approved } of rows) {
  test(`a kubelet's serving certificate: ${what}: ${approved ? "approved" : "left to people"}`, async () => {
    await using cluster = await TestCluster.start({ certificateSigner: { sign: async () => sampleCertificate } });
    const { client, signal } = cluster;
    const register = async (name: string, list: typeof own) => {
      await client.create(Nodes, { metadata: { name }, spec: {} }, { signal });
      const options = { type: "merge", subresource: "status", signal } as const;
      await client.patch(Nodes, { name }, { status: { addresses: list } }, options);
    };
    if (addresses !== undefined) await register("n1", addresses);
    if (other !== undefined) await register("other", other);
    await cluster.advance(100);
    const asker = createClient(cluster.transport({ name: user, groups: [...groups, "system:masters"] }));
    const { spec } = servingRequest();
    await asker.create(CertificateSigningRequests, { metadata: { name: "a" }, spec }, { signal });
    await cluster.advance(5_000);
    const { status } = await client.get(CertificateSigningRequests, { name: "a" }, { signal });
    assert.equal(status.certificate !== undefined, approved);
    assert.deepEqual(
      (status.conditions ?? []).map(({ type, reason }) => [type, reason]),
      approved ? [["Approved", "AutoApproved"]] : [],
    );
  });
}
