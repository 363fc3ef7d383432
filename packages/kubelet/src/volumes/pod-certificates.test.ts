import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isJsonObject, type JsonObject, timestamp } from "@skiff/base";
import { systemProcesses } from "@skiff/host";
import { defaultConfiguration } from "../config/kubelet-configuration.ts";
import { startSimulatedNode } from "../fixtures/simulated-node.ts";
import { keyAndRequest } from "./key-and-request.ts";

const { signal } = new AbortController();
const hourMs = 3_600_000;
const certificate = (text: string) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(text).toString("base64")}\n-----END CERTIFICATE-----\n`;

async function start() {
  const configuration = { ...defaultConfiguration, featureGates: { PodCertificateRequest: true } };
  const { clock, node, until, ...test } = await startSimulatedNode(undefined, { configuration });
  node.api.put("serviceaccounts", { metadata: { name: "robot", namespace: "default", uid: "uid-robot" } });
  const podCertificate = {
    signerName: "example.com/mesh",
    keyType: "ED25519",
    maxExpirationSeconds: 7200,
    credentialBundlePath: "bundle.pem",
    keyPath: "key.pem",
    certificateChainPath: "chain.pem",
    userAnnotations: { "example.com/team": "blue" },
  };
  node.create(
    "web",
    {
      serviceAccountName: "robot",
      containers: [{ name: "main", image: "skiff/hello:1", volumeMounts: [{ name: "mesh", mountPath: "/mesh" }] }],
      volumes: [{ name: "mesh", projected: { defaultMode: 0o640, sources: [{ podCertificate }] } }],
    },
    { uid: "uid-web" },
  );
  /** Lets hours pass in steps, each with what happens meanwhile. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 30_000) {
      await clock.advance(30_000);
      await test.pass(0);
    }
  };
  const requests = () => node.api.list("podcertificaterequests");
  /** The newest request, once there are so many. */
  const request = async (count: number): Promise<JsonObject> => {
    await until(() => requests().length === count);
    return requests().at(-1) ?? {};
  };
  const answer = (asked: JsonObject, condition: object, status: object = {}) =>
    node.api.put("podcertificaterequests", { ...asked, status: { conditions: [condition], ...status } });
  const issue = (asked: JsonObject, chain: string) =>
    answer(
      asked,
      { type: "Issued", status: "True" },
      {
        certificateChain: `a comment\n${chain}`,
        beginRefreshAt: timestamp(clock.now() + hourMs),
        notAfter: timestamp(clock.now() + 2 * hourMs),
      },
    );
  const file = async (name: string) => {
    const folder = join(node.folder, "kubelet/pods/uid-web/volumes/kubernetes.io~projected/mesh");
    return (await readdir(folder).catch((): string[] => [])).includes(name)
      ? await readFile(join(folder, name), "utf8")
      : "";
  };
  const path = (name: string) => join(node.folder, "kubelet/pods/uid-web/volumes/kubernetes.io~projected/mesh", name);
  const message = (text: string) => until(() => node.events.some((one) => one.message.includes(text)));
  return {
    clock,
    node,
    until,
    pass,
    requests,
    request,
    answer,
    issue,
    file,
    path,
    message,
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

describe("certificates of pods", () => {
  it("are asked for, waited for, and shown with their key", async () => {
    await using test = await start();
    const asked = await test.request(1);
    assert.ok(isJsonObject(asked.spec) && isJsonObject(asked.metadata));
    const { stubPKCS10Request, nodeUID, ...spec } = asked.spec;
    assert.deepEqual(spec, {
      signerName: "example.com/mesh",
      podName: "web",
      podUID: "uid-web",
      serviceAccountName: "robot",
      serviceAccountUID: "uid-robot",
      nodeName: "node-1",
      maxExpirationSeconds: 7200,
      unverifiedUserAnnotations: { "example.com/team": "blue" },
    });
    assert.ok(typeof stubPKCS10Request === "string" && typeof nodeUID === "string" && nodeUID !== "");
    assert.deepEqual(asked.metadata.ownerReferences, [{ apiVersion: "v1", kind: "Pod", name: "web", uid: "uid-web" }]);
    await test.message("credential bundle is not issued yet");
    assert.equal(test.node.pod("web")?.status.phase, "Pending");
    test.issue(asked, certificate("leaf") + certificate("authority"));
    await test.until(() => test.node.pod("web")?.status.phase === "Running");
    const key = await test.file("key.pem");
    assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/);
    assert.equal(await test.file("chain.pem"), certificate("leaf") + certificate("authority"));
    assert.equal(await test.file("bundle.pem"), key + certificate("leaf") + certificate("authority"));
    assert.equal((await stat(test.path("key.pem"))).mode & 0o777, 0o640);
    assert.equal(test.requests().length, 1);
  });

  it("are replaced with their keys when it is time, and told of when they are too old", async () => {
    await using test = await start();
    test.issue(await test.request(1), certificate("first"));
    await test.until(async () => (await test.file("chain.pem")) === certificate("first"));
    const key = await test.file("key.pem");
    await test.pass(hourMs - 60_000);
    assert.equal(test.requests().length, 1);
    await test.pass(7 * 60_000);
    const next = await test.request(2);
    await test.pass(20 * 60_000);
    await test.until(() => test.node.reasons("web").includes("CertificateOverdueForRefresh"));
    await test.pass(hourMs);
    await test.until(() => test.node.reasons("web").includes("CertificateExpired"));
    assert.equal(await test.file("chain.pem"), certificate("first"));
    test.issue(next, certificate("second"));
    await test.until(async () => (await test.file("chain.pem")) === certificate("second"));
    assert.notEqual(await test.file("key.pem"), key);
    const told = test.node.reasons("web").filter((reason) => reason.startsWith("Certificate"));
    assert.deepEqual(told, ["CertificateOverdueForRefresh", "CertificateExpired"]);
  });

  for (const [type, verb] of [
    ["Denied", "was denied"],
    ["Failed", "failed"],
  ] as const)
    it(`are never there once the request ${verb}`, async () => {
      await using test = await start();
      const asked = await test.request(1);
      test.answer(asked, { type, status: "True", reason: "NotYou", message: "go away" });
      await test.message(
        `PodCertificateRequest was permanently ${type.toLowerCase()}: reason="NotYou" message="go away"`,
      );
      await test.message(`${verb}, reason="NotYou", message="go away"`);
      await test.clock.advance(hourMs);
      assert.equal(test.requests().length, 1);
      assert.equal(test.node.pod("web")?.status.phase, "Pending");
    });
});

describe("a key with its request", () => {
  for (const [type, algorithm] of [
    ["RSA3072", /sha256WithRSAEncryption[\s\S]*\(3072 bit\)/],
    ["ECDSAP256", /P-256/],
    ["ECDSAP384", /P-384/],
    ["ECDSAP521", /P-521/],
    ["ED25519", /ED25519/],
  ] as const)
    it(`is of the type ${type}, and proves it`, async () => {
      const { keyPem, request } = await keyAndRequest(type);
      const args = ["req", "-inform", "DER", "-verify", "-text"];
      const { code, stdout, stderr } = await systemProcesses.run("openssl", { args, stdin: request }, signal);
      assert.equal(code, 0, stderr);
      assert.match(stderr + stdout, /verify OK/);
      const text = stdout.replaceAll(/ +/g, " ");
      assert.match(`${/Signature Algorithm: .*/.exec(text)?.[0]} ${text}`, algorithm);
      const own = await systemProcesses.output("openssl", { args: ["pkey", "-pubout"], stdin: keyPem }, signal);
      const asked = await systemProcesses.output(
        "openssl",
        { args: ["req", "-inform", "DER", "-noout", "-pubkey"], stdin: request },
        signal,
      );
      assert.equal(own, asked);
    });

  it("is of no other type", async () => {
    await assert.rejects(keyAndRequest("DSA"), /unknown key type "DSA"/);
  });
});
