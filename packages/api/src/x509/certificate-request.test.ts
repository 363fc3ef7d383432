import assert from "node:assert/strict";
import { test } from "node:test";
import { randomInt, seededRandom } from "@skiff/base";
import { parseCertificateRequest } from "./certificate-request.ts";
import { sampleRequests } from "./sample-requests.ts";

test("certificate requests", () => {
  const { der, isSigned, ...alice } = parseCertificateRequest(sampleRequests.alice);
  assert.deepEqual(alice, {
    commonName: "alice",
    organizations: ["dev", "ops"],
    dnsNames: ["a.example.com"],
    emailAddresses: ["a@example.com"],
    ipAddresses: ["10.0.0.1", "fd00:0:0:0:0:0:0:1"],
    uris: ["spiffe://x"],
  });
  assert.ok(isSigned() && der.length > 0);
  const node = parseCertificateRequest(sampleRequests.node);
  assert.deepEqual([node.commonName, node.organizations], ["system:node:n1", ["system:nodes"]]);
  assert.ok(node.isSigned());
});

test("what is no certificate request", () => {
  const pem = (der: Buffer) =>
    Buffer.from(
      `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`,
    ).toString("base64");
  assert.throws(() => parseCertificateRequest(""), /^Error: PEM block type must be CERTIFICATE REQUEST$/);
  assert.throws(() => parseCertificateRequest("?"), /PEM block type/);
  const { der } = parseCertificateRequest(sampleRequests.alice);
  for (let length = 0; length < der.length; length += 7) {
    assert.throws(() => parseCertificateRequest(pem(der.subarray(0, length))), /asn1/, `cut at ${length}`);
  }
  const forged = Buffer.from(der);
  const at = forged.indexOf("alice");
  forged.write("malic", at);
  assert.equal(parseCertificateRequest(pem(forged)).isSigned(), false);
});

test("changed requests are told from sound ones, and break nothing", () => {
  const random = seededRandom(3);
  const { der } = parseCertificateRequest(sampleRequests.alice);
  const pem = (bytes: Buffer) =>
    Buffer.from(
      `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`,
    ).toString("base64");
  for (let round = 0; round < 1000; round++) {
    const changed = Buffer.from(der);
    const at = randomInt(random, changed.length);
    changed.writeUInt8(changed.readUInt8(at) ^ (1 + randomInt(random, 255)), at);
    let isSigned = false;
    try {
      isSigned = parseCertificateRequest(pem(changed)).isSigned();
    } catch (error) {
      assert.ok(error instanceof Error && error.message.startsWith("asn1: "), String(error));
    }
    assert.equal(isSigned, false, `byte ${at}`);
  }
});
