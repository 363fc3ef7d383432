import "reflect-metadata";
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { isJsonObject } from "@skiff/base";
import { testSetup } from "../fixtures/test-client.ts";

const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const clientSigner = "kubernetes.io/kube-apiserver-client";
const apiGroup = "rbac.authorization.k8s.io";

async function requestText(commonName: string, organization: string): Promise<string> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const name = [{ O: [organization] }, { CN: [commonName] }];
  const made = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return Buffer.from(made.toString("pem")).toString("base64");
}

test("who may approve and who may sign", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const request = await requestText("alice", "dev");
  const spec = { request, signerName: clientSigner, usages: ["client auth"], username: "forged" };
  const made = await call(requests, { method: "POST", body: { metadata: { name: "a" }, spec } });
  assert.equal(made.status, 201, made.text);
  assert.ok(isJsonObject(made.json.spec));
  assert.equal(made.json.spec.username, "admin");
  assert.deepEqual(made.json.status, {});

  // Alice may write requests in every way, but neither approve nor sign.
  const rules = [
    {
      verbs: ["*"],
      apiGroups: ["certificates.k8s.io"],
      resources: [
        "certificatesigningrequests",
        "certificatesigningrequests/approval",
        "certificatesigningrequests/status",
      ],
    },
  ];
  const grant = async (name: string, of: readonly object[]) => {
    await call(`${rbac}/clusterroles`, { method: "POST", body: { metadata: { name }, rules: of } });
    const subjects = [{ kind: "User", apiGroup, name: "alice" }];
    const binding = { metadata: { name }, roleRef: { apiGroup, kind: "ClusterRole", name }, subjects };
    await call(`${rbac}/clusterrolebindings`, { method: "POST", body: binding });
  };
  await grant("requests", rules);
  const patch = async (part: string, status: object) => {
    const headers = { "impersonate-user": "alice", "content-type": "application/merge-patch+json" };
    const answer = await call(`${requests}/a/${part}`, { method: "PATCH", body: { status }, headers });
    return answer.status === 200 ? "done" : `${answer.status} ${answer.json.message}`;
  };
  const approved = { conditions: [{ type: "Approved", status: "True", reason: "me", message: "m" }] };
  const forbidden = (verb: string) =>
    `403 certificatesigningrequests.certificates.k8s.io "a" is forbidden: user not permitted to ${verb} requests with signerName "${clientSigner}"`;
  assert.equal(await patch("approval", approved), forbidden("approve"));
  assert.equal(await patch("status", { conditions: [{ type: "Mine", status: "True" }] }), forbidden("sign"));
  const signer = { apiGroups: ["certificates.k8s.io"], resources: ["signers"] };
  await grant("approver", [{ ...signer, verbs: ["approve"], resourceNames: ["kubernetes.io/*"] }]);
  assert.equal(await patch("approval", approved), "done");
  assert.match(
    await patch("approval", { conditions: [] }),
    /^422 .*updates may not remove a condition of type "Approved"$/,
  );
  assert.match(await patch("status", { conditions: [{ type: "Mine", status: "True" }] }), /^422 /);
  const table = await call(requests, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
  assert.ok(Array.isArray(table.json.rows) && isJsonObject(table.json.rows[0]));
  const { cells } = table.json.rows[0];
  assert.ok(Array.isArray(cells));
  assert.deepEqual([cells[0], ...cells.slice(2)], ["a", clientSigner, "admin", "<none>", "Approved"]);
});

test("nobody becomes system:masters by a certificate", async () => {
  await using setup = await testSetup();
  const spec = {
    request: await requestText("root", "system:masters"),
    signerName: clientSigner,
    usages: ["client auth"],
  };
  const made = await setup.call(requests, { method: "POST", body: { metadata: { name: "a" }, spec } });
  assert.equal(
    made.json.message,
    `certificatesigningrequests.certificates.k8s.io "a" is forbidden: use of ${clientSigner} signer with system:masters group is not allowed`,
  );
});
