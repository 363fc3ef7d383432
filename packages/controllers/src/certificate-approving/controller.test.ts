import assert from "node:assert/strict";
import { test } from "node:test";
import { CertificateSigningRequests, ClusterRoleBindings, ClusterRoles, isNotFound } from "@skiff/api";
import { createClient } from "@skiff/client";
import { TestCluster } from "@skiff/testing";
import { sampleCertificate, sampleRequest } from "../fixtures/certificate-requests.ts";

test("a kubelet's request is approved where RBAC allows it, failed where the signer refuses, and removed in the end", async () => {
  const signed: string[] = [];
  await using cluster = await TestCluster.start({
    certificateSigner: {
      sign: async ({ usages }) => {
        signed.push(usages.join());
        return sampleCertificate;
      },
    },
  });
  const { client, signal } = cluster;
  const bootstrapper = createClient(cluster.transport({ name: "system:bootstrap:abc", groups: ["bootstrappers"] }));
  const { metadata, ...request } = sampleRequest("node", { signerName: "kubernetes.io/kube-apiserver-client-kubelet" });
  await bootstrapper.create(CertificateSigningRequests, { ...request, metadata: { name: "node" } }, { signal });
  const conditions = async () =>
    (await client.get(CertificateSigningRequests, { name: metadata.name }, { signal })).status.conditions ?? [];
  await cluster.advance(5000);
  assert.deepEqual(await conditions(), [], "nobody allowed it");
  const name = "nodeclient";
  const rules = [
    { verbs: ["create"], apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests/nodeclient"] },
  ];
  await client.create(ClusterRoles, { metadata: { name }, rules }, { signal });
  const apiGroup = "rbac.authorization.k8s.io";
  const binding = {
    metadata: { name },
    roleRef: { apiGroup, kind: "ClusterRole", name },
    subjects: [{ kind: "Group", apiGroup, name: "bootstrappers" }],
  };
  await client.create(ClusterRoleBindings, binding, { signal });
  await cluster.eventually(async () => {
    assert.deepEqual(
      (await conditions()).map(({ type, reason, message }) => [type, reason, message]),
      [["Approved", "AutoApproved", "Auto approving kubelet client certificate after SubjectAccessReview."]],
    );
    assert.deepEqual(signed, ["client auth,digital signature"]);
  });
  await cluster.eventually(
    async () =>
      client.get(CertificateSigningRequests, { name: metadata.name }, { signal }).then(
        () => false,
        (error: unknown) => isNotFound(error),
      ),
    { withinMs: 25 * 3_600_000 },
  );
});

test("an approved request that its signer refuses has failed", async () => {
  await using cluster = await TestCluster.start({ certificateSigner: { sign: async () => sampleCertificate } });
  const { client, signal } = cluster;
  const { metadata: _metadata, ...request } = sampleRequest("alice", { usages: ["server auth"] });
  const made = await client.create(CertificateSigningRequests, { ...request, metadata: { name: "a" } }, { signal });
  const status = { conditions: [{ type: "Approved", status: "True" }] };
  await client.update(CertificateSigningRequests, { ...made, status }, { subresource: "approval", signal });
  await cluster.eventually(async () => {
    const { status: after } = await client.get(CertificateSigningRequests, { name: "a" }, { signal });
    assert.deepEqual(
      after.conditions?.map(({ type, reason, message }) => [type, reason, message]),
      [
        ["Approved", undefined, undefined],
        ["Failed", "SignerValidationFailure", "invalid usage for client certificate: server auth"],
      ],
    );
  });
});
