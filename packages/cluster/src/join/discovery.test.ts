import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { VirtualClock } from "@skiff/base";
import { Authority } from "../pki/certificates.ts";
import { examine, publicKeyHash } from "./discovery.ts";

const server = "https://192.0.2.1:6443";
const token = { id: "abcdef", secret: "0123456789abcdef" };

/** As the controller `bootstrap-signer` signs. */
function detachedSignature(payload: string, { id, secret }: typeof token): string {
  const [header, content] = [JSON.stringify({ alg: "HS256", kid: id }), payload].map((text) =>
    Buffer.from(text).toString("base64url"),
  );
  return `${header}..${createHmac("sha256", secret).update(`${header}.${content}`).digest("base64url")}`;
}

async function kubeconfig(): Promise<{ readonly text: string; readonly authority: string }> {
  const { pair } = await Authority.create("ca", new VirtualClock());
  const data = Buffer.from(pair.certificate).toString("base64");
  const text = `clusters:\n- cluster:\n    certificate-authority-data: ${data}\n    server: ${server}\n  name: ""\n`;
  return { text, authority: pair.certificate };
}

test("an authority is trusted for the token's signature, and for its hash where one is given", async () => {
  const { text, authority } = await kubeconfig();
  const right = detachedSignature(text, token);
  const [header = "", , mac = ""] = right.split(".");
  const none = Buffer.from('{"alg":"none","kid":"abcdef"}').toString("base64url");
  const hash = publicKeyHash(authority);
  assert.match(hash, /^sha256:[0-9a-f]{64}$/);
  const rows: readonly {
    readonly what: string;
    readonly data: Readonly<Record<string, string>>;
    readonly authorityHash?: string;
    readonly kind: string;
  }[] = [
    { what: "signed", data: { kubeconfig: text, "jws-kubeconfig-abcdef": right }, kind: "trusted" },
    {
      what: "hash",
      data: { kubeconfig: text, "jws-kubeconfig-abcdef": right },
      authorityHash: hash.toUpperCase().replace("SHA", "sha"),
      kind: "trusted",
    },
    {
      what: "other hash",
      data: { kubeconfig: text, "jws-kubeconfig-abcdef": right },
      authorityHash: `sha256:${"0".repeat(64)}`,
      kind: "refused",
    },
    { what: "other text", data: { kubeconfig: `${text}#`, "jws-kubeconfig-abcdef": right }, kind: "refused" },
    {
      what: "other secret",
      data: { kubeconfig: text, "jws-kubeconfig-abcdef": detachedSignature(text, { ...token, secret: "x" }) },
      kind: "refused",
    },
    {
      what: "other key's name",
      data: { kubeconfig: text, "jws-kubeconfig-abcdef": detachedSignature(text, { ...token, id: "zzzzzz" }) },
      kind: "refused",
    },
    {
      what: "no algorithm",
      data: { kubeconfig: text, "jws-kubeconfig-abcdef": `${none}..${mac}` },
      kind: "refused",
    },
    { what: "no mac", data: { kubeconfig: text, "jws-kubeconfig-abcdef": `${header}..` }, kind: "refused" },
    { what: "no signature of the token", data: { kubeconfig: text, "jws-kubeconfig-other1": right }, kind: "missing" },
    { what: "no kubeconfig", data: { "jws-kubeconfig-abcdef": right }, kind: "missing" },
    {
      what: "no authority",
      data: { kubeconfig: "clusters: []", "jws-kubeconfig-abcdef": detachedSignature("clusters: []", token) },
      kind: "refused",
    },
  ];
  for (const { what, data, authorityHash, kind } of rows) {
    const found = await examine(JSON.stringify({ data }), { server, token, authorityHash });
    assert.equal(found.kind, kind, `${what}: ${JSON.stringify(found)}`);
    if (found.kind === "trusted") assert.equal(found.authority, authority);
  }
  assert.equal((await examine("not JSON", { server, token, authorityHash: undefined })).kind, "missing");
});
