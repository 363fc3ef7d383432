import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { systemClock, systemRandom } from "@skiff/base";
import { openEtcdStore, StoreUnavailableError } from "@skiff/store";
import { EtcdProcess } from "@skiff/store/etcd-process";
import { Authority } from "../pki/certificates.ts";

it("speaks TLS, with the certificate that etcd asks its clients for", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-etcd-"));
  try {
    const authority = await Authority.create("etcd-ca", systemClock);
    const server = await authority.issue({ commonName: "etcd", ipAddresses: ["127.0.0.1"], usage: "server" });
    const client = await authority.issue({ commonName: "skiff", usage: "client" });
    const files = { ca: join(folder, "ca.crt"), cert: join(folder, "server.crt"), key: join(folder, "server.key") };
    await writeFile(files.ca, authority.pair.certificate);
    await writeFile(files.cert, server.certificate);
    await writeFile(files.key, server.key);
    await using etcd = await EtcdProcess.start({ folder, tls: files });
    const options = { endpoints: [etcd.url], prefix: "", clock: systemClock, random: systemRandom };
    const ca = authority.pair.certificate;
    await using store = await openEtcdStore({ ...options, tls: { ca, cert: client.certificate, key: client.key } });
    const operations = [{ kind: "put", key: "k", value: Buffer.from("1") }] as const;
    assert.deepEqual(await store.commit({ compare: [], operations }), { kind: "committed", revision: 2 });
    await assert.rejects(openEtcdStore({ ...options, tls: { ca } }), StoreUnavailableError);
    await assert.rejects(openEtcdStore(options), StoreUnavailableError);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
