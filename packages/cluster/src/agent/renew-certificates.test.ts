import assert from "node:assert/strict";
import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Nodes } from "@skiff/api";
import { present, silentLogger, systemClock } from "@skiff/base";
import { createClient } from "@skiff/client";
import { TestCluster } from "@skiff/testing";
import { Authority, requestFor } from "../pki/certificates.ts";
import { type KeyPair, readNodePki } from "../pki/pki.ts";
import { renewalTime, renewCertificates } from "./renew-certificates.ts";

const hourMs = 3_600_000;

test("a node's certificates are replaced when a third of their life is left, by requests of its own", async (test) => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-renewal-"));
  test.after(() => rm(folder, { recursive: true }));
  let authority: Authority | undefined;
  await using cluster = await TestCluster.start({
    certificateSigner: { sign: (request) => present(authority, "an authority").certify(request) },
  });
  const { client, clock, signal } = cluster;
  authority = await Authority.create("ca", clock);
  const names = { commonName: "system:node:n1", organizations: ["system:nodes"] };
  const certified = async (usage: string): Promise<KeyPair> => {
    const { request, key } = await requestFor(names);
    const der = Buffer.from(request.replaceAll(/-----.*-----/g, ""), "base64");
    const certificate = await present(authority, "it").certify({ der, usages: [usage], durationMs: 3 * hourMs });
    return { certificate, key };
  };
  const old = {
    authority: authority.pair.certificate,
    node: await certified("client auth"),
    kubeletServer: await certified("server auth"),
  };
  const dueMs = renewalTime(old.node.certificate);
  assert.ok(Math.abs(dueMs - clock.now() - 2 * hourMs) < 5 * 60_000);
  await client.create(Nodes, { metadata: { name: "n1" }, spec: {} }, { signal });
  const addresses = [
    { type: "InternalIP", address: "10.0.0.1" },
    { type: "Hostname", address: "n1" },
  ];
  await client.patch(
    Nodes,
    { name: "n1" },
    { status: { addresses } },
    { type: "merge", subresource: "status", signal },
  );
  // The binding of system:nodes to `selfnodeclient` is made by the server; here the group of all rights stands for it.
  const groups = ["system:nodes", "system:masters"];
  const self = createClient(cluster.transport({ name: "system:node:n1", groups }));
  const settings = { nodeName: "n1", nodeIp: "10.0.0.1" };
  let done = false;
  const renewed = renewCertificates({ settings, pki: old, folder, client: self, clock, logger: silentLogger }, signal);
  renewed.then(() => {
    done = true;
  });
  await cluster.advance(1.8 * hourMs);
  assert.equal(done, false);
  // Keys are made and signed in real time, of which each second of the cluster's has some.
  while (!done) {
    await systemClock.sleep(5, signal);
    await cluster.advance(clock.now() < dueMs ? 60_000 : 1000);
  }
  await renewed;
  assert.equal(await readNodePki(folder), undefined, "the authority is not replaced");
  await writeFile(join(folder, "ca.crt"), old.authority);
  const pki = present(await readNodePki(folder), "certificates");
  const server = new X509Certificate(pki.kubeletServer.certificate);
  assert.equal(server.subjectAltName, "DNS:n1, IP Address:10.0.0.1");
  for (const pair of [pki.node, pki.kubeletServer]) {
    const made = new X509Certificate(pair.certificate);
    assert.ok(made.verify(createPublicKey(old.authority)));
    assert.match(made.subject, /system:node:n1/);
    assert.ok(renewalTime(pair.certificate) > dueMs + 24 * hourMs);
  }
});
