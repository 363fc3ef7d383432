import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificateSigningRequest } from "@skiff/api";
import { sampleRequest } from "../fixtures/certificate-requests.ts";
import { kubeletClientFault, kubeletServingFault } from "../kubelet-certificates.ts";
import { planSigning } from "./plan.ts";

const approved = [{ type: "Approved", status: "True" }];
const hourMs = 3_600_000;

test("what is signed, and for how long", () => {
  const cases: readonly (readonly [
    Partial<CertificateSigningRequest["spec"]>,
    CertificateSigningRequest["status"],
    string,
  ])[] = [
    [{}, {}, "nothing"],
    [{}, { conditions: approved }, `sign ${8760 * hourMs}`],
    [{ expirationSeconds: 3600 }, { conditions: approved }, `sign ${hourMs}`],
    [{ expirationSeconds: 10 ** 9 }, { conditions: approved }, `sign ${8760 * hourMs}`],
    [{}, { conditions: [...approved, { type: "Failed", status: "True" }] }, "nothing"],
    [{}, { conditions: approved, certificate: "eA==" }, "nothing"],
    [{ signerName: "example.com/other" }, { conditions: approved }, "nothing"],
    [{ usages: ["server auth"] }, { conditions: approved }, "fail invalid usage for client certificate: server auth"],
    [
      { signerName: "kubernetes.io/kubelet-serving" },
      { conditions: approved },
      "fail subject organization is not system:nodes",
    ],
  ];
  for (const [spec, status, expected] of cases) {
    const plan = planSigning(sampleRequest("alice", spec, status));
    const shown =
      plan.kind === "sign" ? `sign ${plan.durationMs}` : plan.kind === "fail" ? `fail ${plan.why}` : plan.kind;
    assert.equal(shown, expected);
  }
});

test("certificates of kubelets", () => {
  const request = {
    commonName: "system:node:n1",
    organizations: ["system:nodes"],
    dnsNames: [],
    emailAddresses: [],
    ipAddresses: [],
    uris: [],
    der: Buffer.alloc(0),
    isSigned: () => true,
  };
  const client = ["client auth", "digital signature", "key encipherment"];
  const server = ["server auth", "digital signature"];
  const names = { dnsNames: ["n1"] };
  const cases: readonly (readonly [
    change: object,
    usages: readonly string[],
    client: string | undefined,
    serving: string | undefined,
  ])[] = [
    [{}, client, undefined, "DNS or IP subjectAltName is required"],
    [names, server, "DNS subjectAltNames are not allowed", undefined],
    [
      { ...names, organizations: [] },
      server,
      "subject organization is not system:nodes",
      "subject organization is not system:nodes",
    ],
    [{ ...names, uris: ["x"] }, server, "DNS subjectAltNames are not allowed", "URI subjectAltNames are not allowed"],
    [
      { commonName: "n1" },
      client,
      "subject common name does not begin with system:node: ",
      "DNS or IP subjectAltName is required",
    ],
    [
      {},
      ["client auth"],
      "usages did not match [client auth digital signature]",
      "DNS or IP subjectAltName is required",
    ],
  ];
  for (const [change, usages, asClient, asServer] of cases) {
    const changed = { ...request, ...change };
    assert.equal(kubeletClientFault(changed, usages), asClient);
    assert.equal(kubeletServingFault(changed, usages), asServer);
  }
});
