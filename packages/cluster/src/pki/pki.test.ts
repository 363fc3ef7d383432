import "reflect-metadata";
import assert from "node:assert/strict";
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { cp, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as x509 from "@peculiar/x509";
import { present, systemClock } from "@skiff/base";
import { killedAfter } from "../fixtures/killed-after.ts";
import type { ClusterSettings } from "../settings/settings.ts";
import { ensurePki, type KeyPair, loadAuthority, readPki, writeNodePki } from "./pki.ts";

const settings: ClusterSettings = {
  name: "default",
  runtime: "containerd",
  nodeName: "machine",
  nodeIp: "192.0.2.7",
  apiPort: 6443,
  kubeletPort: 10250,
  clusterCidr: "10.42.0.0/16",
  nodeMaskSizes: [24],
  podCidr: "10.42.0.0/24",
  serviceCidr: "10.96.0.0/16",
  nodePorts: [30000, 32767],
  clusterDomain: "cluster.local",
  slot: 0,
};

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-pki-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("all certificates are the authority's, and name who and where", () =>
  inFolder(async (folder) => {
    const pki = await ensurePki(folder, settings, systemClock);
    const authority = new X509Certificate(pki.authority);
    assert.ok(authority.ca);
    for (const pair of [pki.apiServer, pki.apiServerKubeletClient, pki.kubeletServer, pki.node, pki.admin]) {
      const certificate = new X509Certificate(pair.certificate);
      assert.ok(certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
      assert.ok(!certificate.ca);
    }
    const proxy = new X509Certificate(pki.frontProxyClient.certificate);
    assert.ok(proxy.checkIssued(new X509Certificate(pki.frontProxyAuthority)) && !proxy.verify(authority.publicKey));
    assert.equal(proxy.subject, "CN=front-proxy-client");
    const server = new X509Certificate(pki.apiServer.certificate);
    for (const address of ["127.0.0.1", "192.0.2.7", "10.96.0.1"]) assert.ok(server.checkIP(address), address);
    for (const host of ["localhost", "kubernetes.default.svc", "machine"]) assert.ok(server.checkHost(host), host);
    assert.match(new X509Certificate(pki.admin.certificate).subject, /O=system:masters/);
    assert.match(new X509Certificate(pki.node.certificate).subject, /O=system:nodes\s+CN=system:node:machine/);
    assert.equal((await stat(join(folder, "ca.key"))).mode & 0o777, 0o600);
  }));

test("a start that was interrupted is completed with what is there, and nothing made twice", () =>
  inFolder(async (folder) => {
    const first = await ensurePki(folder, settings, systemClock);
    const authorityKey = await readFile(join(folder, "ca.key"), "utf8");
    await rm(join(folder, "kubelet.crt"));
    await rm(join(folder, "sa.key"));
    assert.equal(await readPki(folder), undefined);
    const second = await ensurePki(folder, settings, systemClock);
    assert.equal(await readFile(join(folder, "ca.key"), "utf8"), authorityKey);
    assert.deepEqual(second.admin, first.admin);
    assert.ok(new X509Certificate(second.kubeletServer.certificate).checkIssued(new X509Certificate(first.authority)));
  }));

test("the API server's certificate is made anew when it is to have further names, and nothing else", () =>
  inFolder(async (folder) => {
    const first = await ensurePki(folder, settings, systemClock);
    const serverNames = ["203.0.113.9", "fd00::1", "api.example.com"];
    const second = await ensurePki(folder, { ...settings, serverNames }, systemClock);
    const shown = new X509Certificate(second.apiServer.certificate);
    for (const name of ["203.0.113.9", "fd00::1", settings.nodeIp]) assert.ok(shown.checkIP(name), name);
    for (const name of ["api.example.com", "machine"]) assert.ok(shown.checkHost(name), name);
    assert.ok(shown.checkPrivateKey(createPrivateKey(second.apiServer.key)));
    assert.deepEqual({ ...second, apiServer: first.apiServer }, first);
    assert.deepEqual(await ensurePki(folder, { ...settings, serverNames }, systemClock), second);
    assert.deepEqual(await readPki(folder), second);
  }));

const belongTogether = ({ certificate, key }: KeyPair): boolean =>
  new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));

test("certificates that are replaced stay with their keys, whenever that is cut off", () =>
  inFolder(async (folder) => {
    const made = join(folder, "made");
    await ensurePki(made, settings, systemClock);
    const named = (name: string) => ({ ...settings, serverNames: [name] });
    for (let count = 0, killed = true; killed; count++) {
      const pki = join(folder, `${count}`);
      await cp(made, pki, { recursive: true });
      killed = await killedAfter(count, () => ensurePki(pki, named("a.example.com"), systemClock));
      assert.equal(killed, count < 3);
      assert.ok(belongTogether(present(await readPki(pki), "certificates").apiServer), `${count}`);
      // Cut off again, and again a file later.
      for (let more = 0; more < 4; more++) {
        await killedAfter(more, () => ensurePki(pki, named(`b${more}.example.com`), systemClock));
        assert.ok(belongTogether(present(await readPki(pki), "certificates").apiServer), `${count}, ${more}`);
      }
      const { node, kubeletServer } = present(await readPki(made), "certificates");
      await killedAfter(count, () => writeNodePki(pki, { node: kubeletServer, kubeletServer: node }));
      const left = present(await readPki(pki), "certificates");
      assert.ok(belongTogether(left.node) && belongTogether(left.kubeletServer), `${count}`);
    }
  }));

test("what lost its authority gets another one for all, however often that is cut off", () =>
  inFolder(async (folder) => {
    const made = join(folder, "made");
    await ensurePki(made, settings, systemClock);
    for (const lost of ["ca.crt", "front-proxy-ca.crt"]) await rm(join(made, lost));
    for (let count = 0, killed = true; killed; count += 3) {
      const folderNow = join(folder, `${count}`);
      await cp(made, folderNow, { recursive: true });
      killed = await killedAfter(count, () => ensurePki(folderNow, settings, systemClock));
      const pki = await ensurePki(folderNow, settings, systemClock);
      const [authority, proxies] = [pki.authority, pki.frontProxyAuthority].map((pem) => new X509Certificate(pem));
      for (const pair of [pki.apiServer, pki.apiServerKubeletClient, pki.kubeletServer, pki.node, pki.admin]) {
        assert.ok(belongTogether(pair), `${count}`);
        assert.ok(new X509Certificate(pair.certificate).verify(present(authority, "it").publicKey), `${count}`);
      }
      const proxy = new X509Certificate(pki.frontProxyClient.certificate);
      assert.ok(proxy.verify(present(proxies, "it").publicKey), `${count}`);
      assert.ok(await loadAuthority(folderNow, systemClock));
    }
  }));

test("the authority certifies what a client asks for, as long as itself at most", async () => {
  await inFolder(async (folder) => {
    const clock = systemClock;
    const { authority: authorityPem } = await ensurePki(folder, settings, clock);
    const authority = await loadAuthority(folder, clock);
    const key = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const names = new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "web.example.com" }]);
    const asked = await x509.Pkcs10CertificateRequestGenerator.create({
      name: [{ O: ["dev"] }, { CN: ["alice"] }],
      keys: key,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      extensions: [names],
    });
    const certify = async (durationMs: number) =>
      new X509Certificate(
        await authority.certify({
          der: Buffer.from(asked.rawData),
          usages: ["client auth", "digital signature"],
          durationMs,
        }),
      );
    const certificate = await certify(600_000);
    assert.equal(certificate.subject, "O=dev\nCN=alice");
    assert.equal(certificate.subjectAltName, "DNS:web.example.com");
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
    assert.ok(certificate.verify(new X509Certificate(authorityPem).publicKey));
    const lifeMs = Date.parse(certificate.validTo) - clock.now();
    assert.ok(lifeMs > 590_000 && lifeMs <= 600_000, `${lifeMs}`);
    const longest = await certify(10 ** 13);
    assert.equal(longest.validTo, new X509Certificate(authorityPem).validTo);
  });
});
