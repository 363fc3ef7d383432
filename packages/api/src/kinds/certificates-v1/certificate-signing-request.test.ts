import assert from "node:assert/strict";
import { test } from "node:test";
import { type FieldError, fieldErrorText } from "../../field-error.ts";
import type { CertificateSigningRequest } from "../../generated/types/certificates-v1.ts";
import { sampleRequests } from "../../x509/sample-requests.ts";
import { CertificateSigningRequests } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";

type Spec = CertificateSigningRequest["spec"];
type Status = CertificateSigningRequest["status"];

const signerName = "kubernetes.io/kube-apiserver-client";
const good: Spec = { request: sampleRequests.alice, signerName, usages: ["client auth"] };
const request = (spec: Partial<Spec> = {}, status: Status = {}): CertificateSigningRequest => ({
  metadata: sampleMeta("a"),
  spec: { ...good, ...spec },
  status,
});
const texts = (found: readonly FieldError[]) => found.map(fieldErrorText);
const condition = (type: string, status = "True") => ({ type, status });

test("new requests", () => {
  const cases: readonly (readonly [spec: Partial<Spec>, found: readonly RegExp[]])[] = [
    [{}, []],
    [{ request: "eA==" }, [/^spec\.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST$/]],
    [{ usages: [] }, [/^spec\.usages: Required value$/]],
    [
      { usages: ["client auth", "client auth", "fishing"] },
      [
        /^spec\.usages\[1\]: Duplicate value: "client auth"$/,
        /^spec\.usages\[2\]: Unsupported value: "fishing": supported values: "any", "cert sign", /,
      ],
    ],
    [
      { signerName: "kubernetes.io/legacy-unknown" },
      [
        /^spec\.signerName: Invalid value: "kubernetes.io\/legacy-unknown": the legacy signerName is not allowed via this API version$/,
      ],
    ],
    [{ signerName: "" }, [/^spec\.signerName: Required value$/]],
    [{ signerName: "x" }, [/: must be a fully qualified domain and path of the form 'example.com\/signer-name'$/]],
    [
      { signerName: "com/x" },
      [/^spec\.signerName: Invalid value: "com": should be a domain with at least two segments separated by dots$/],
    ],
    [
      { signerName: "example.com/X" },
      [/^spec\.signerName: Invalid value: "X": validating label "X": a lowercase RFC 1123 subdomain/],
    ],
    [
      { expirationSeconds: 599 },
      [
        /^spec\.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds \(10 minutes\)$/,
      ],
    ],
  ];
  for (const [spec, found] of cases) {
    const got = texts(CertificateSigningRequests.validate(request(spec)));
    assert.equal(got.length, found.length, got.join("\n"));
    for (const [index, pattern] of found.entries()) assert.match(got[index] ?? "", pattern);
  }
});

test("who asks is written down, whatever the request says", () => {
  const made = request({ username: "root", groups: ["system:masters"], uid: "1", extra: { a: ["b"] } });
  CertificateSigningRequests.prepareCreate(made, { nowMs: 0, user: { name: "alice", groups: ["dev"] } });
  assert.deepEqual(made.spec, { ...good, username: "alice", groups: ["dev"] });
});

test("approving and signing are two things, and final", () => {
  const approval = CertificateSigningRequests.parts?.approval;
  const cases: readonly (readonly [
    before: Status,
    after: Status,
    main: string[],
    status: string[],
    approval: string[],
  ])[] = [
    [
      {},
      { conditions: [condition("Approved")] },
      ['status.conditions: Forbidden: updates may not add a condition of type "Approved"'],
      ['status.conditions: Forbidden: updates may not add a condition of type "Approved"'],
      [],
    ],
    [
      { conditions: [condition("Denied")] },
      {},
      ['status.conditions: Forbidden: updates may not remove a condition of type "Denied"'],
      ['status.conditions: Forbidden: updates may not remove a condition of type "Denied"'],
      ['status.conditions: Forbidden: updates may not remove a condition of type "Denied"'],
    ],
    [
      { conditions: [condition("Approved")] },
      { conditions: [condition("Approved"), condition("Denied")] },
      ['status.conditions: Forbidden: updates may not add a condition of type "Denied"'],
      [
        'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
        'status.conditions: Forbidden: updates may not add a condition of type "Denied"',
      ],
      ['status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'],
    ],
    [
      {},
      { conditions: [condition("Failed", "False")] },
      [],
      ['status.conditions[0].status: Unsupported value: "False": supported values: "True"'],
      ['status.conditions[0].status: Unsupported value: "False": supported values: "True"'],
    ],
    [
      {},
      { certificate: "eA==" },
      ["status.certificate: Forbidden: updates may not set certificate content"],
      ['status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block'],
      [
        'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
        "status.certificate: Forbidden: updates may not set certificate content",
      ],
    ],
  ];
  for (const [before, after, main, status, approved] of cases) {
    const [old, next] = [request({}, before), request({}, after)];
    assert.deepEqual(texts(CertificateSigningRequests.validateUpdate(next, old)), main);
    assert.deepEqual(texts(CertificateSigningRequests.validateStatusUpdate(next, old)), status);
    assert.deepEqual(texts(approval?.validate(next, old) ?? []), approved);
  }
});

test("an approval writes conditions with their times, and nothing else", () => {
  const old = request({}, { certificate: "old" });
  const next = request(
    { signerName: "example.com/other" },
    { certificate: "new", conditions: [condition("Approved")] },
  );
  CertificateSigningRequests.parts?.approval?.prepare(next, old, { nowMs: 0 });
  const now = "1970-01-01T00:00:00Z";
  assert.equal(next.spec.signerName, signerName);
  assert.deepEqual(next.status, {
    certificate: "old",
    conditions: [{ ...condition("Approved"), lastUpdateTime: now, lastTransitionTime: now }],
  });
});
