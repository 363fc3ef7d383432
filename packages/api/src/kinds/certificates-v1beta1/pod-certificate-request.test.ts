import assert from "node:assert/strict";
import { test } from "node:test";
import { type FieldError, fieldErrorText } from "../../field-error.ts";
import type { PodCertificateRequest } from "../../generated/types/certificates-v1beta1.ts";
import { sampleMeta } from "../sample-objects.ts";
import { PodCertificateRequests } from "./pod-certificate-request.ts";

type Spec = PodCertificateRequest["spec"];
type Status = PodCertificateRequest["status"];

const request = (spec: Partial<Spec> = {}, status: Status = {}): PodCertificateRequest => ({
  metadata: sampleMeta("a"),
  spec: {
    signerName: "example.com/pods",
    podName: "web",
    podUID: "1",
    serviceAccountName: "default",
    serviceAccountUID: "2",
    nodeName: "n1",
    nodeUID: "3",
    maxExpirationSeconds: 86_400,
    stubPKCS10Request: "",
    ...spec,
  },
  status,
});
const texts = (found: readonly FieldError[]) => found.map(fieldErrorText);
const condition = (type: string, status = "True") => ({
  type,
  status,
  reason: "R",
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
});

test("requests of pods", () => {
  const cases: readonly (readonly [spec: Partial<Spec>, found: readonly string[]])[] = [
    [{}, []],
    [{ podUID: "" }, ['spec.podUID: Invalid value: "": must not be empty']],
    [{ nodeUID: "x".repeat(129) }, ["spec.nodeUID: Too long: may not be more than 128 bytes"]],
    [
      { maxExpirationSeconds: 60 },
      ["spec.maxExpirationSeconds: Invalid value: 60: must be in the range [3600, 7862400]"],
    ],
    [
      { signerName: "kubernetes.io/x", maxExpirationSeconds: 86_401 },
      ["spec.maxExpirationSeconds: Invalid value: 86401: must be in the range [3600, 86400]"],
    ],
  ];
  for (const [spec, found] of cases) assert.deepEqual(texts(PodCertificateRequests.validate(request(spec))), found);
  const { maxExpirationSeconds: _seconds, ...rest } = request().spec;
  const made: PodCertificateRequest = { ...request(), spec: rest };
  PodCertificateRequests.defaults(made);
  assert.equal(made.spec.maxExpirationSeconds, 86_400);
  assert.equal(PodCertificateRequests.validateUpdate(request({ podName: "x" }), request()).length, 1);
});

test("a request ends once", () => {
  const check = (status: Status, before: Status = {}) =>
    texts(PodCertificateRequests.validateStatusUpdate(request({}, status), request({}, before)));
  assert.deepEqual(check({ conditions: [condition("Denied")] }), []);
  assert.deepEqual(check({ conditions: [condition("Mine")] }), [
    'status.conditions[0].type: Unsupported value: "Mine": supported values: "Issued", "Denied", "Failed"',
  ]);
  assert.deepEqual(check({ conditions: [condition("Denied"), condition("Failed")] }), [
    'status.conditions[1].type: Invalid value: "Failed": There may be at most one condition with type "Issued", "Denied", or "Failed"',
  ]);
  assert.deepEqual(check({ conditions: [condition("Issued", "False")] }), [
    'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
  ]);
  const denied = { conditions: [condition("Denied")] };
  assert.match(
    check({ conditions: [condition("Failed")] }, denied).join(),
    /immutable after PodCertificateRequest is issued, denied, or failed$/,
  );
  assert.deepEqual(check(denied, denied), []);
  assert.match(check({ ...denied, certificateChain: "x" }).join(), /non-condition status fields must be empty/);
  assert.equal(check({ conditions: [condition("Issued")] }).length, 4);
});
