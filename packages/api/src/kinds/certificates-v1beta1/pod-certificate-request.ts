import { defineResource } from "../../define-resource.ts";
import { type FieldError, fieldError } from "../../field-error.ts";
import type { PodCertificateRequest } from "../../generated/types/certificates-v1beta1.ts";
import { checkImmutable, type Findings, invalidFor } from "../../validation/checks.ts";
import { dnsSubdomainName } from "../../validation/names.ts";
import { checkSignerName } from "../certificates-v1/signer-name.ts";

const shortestSeconds = 3600;
const daySeconds = 86_400;
/** Kubernetes' own signers give certificates for a day at most, others for 91. */
const longestSeconds = (signerName: string): number =>
  /^([^/]+\.)?kubernetes\.io\//.test(signerName) ? daySeconds : 91 * daySeconds;
const longestUid = 128;
const largestChain = 100 * 1024;
const terminal = ["Issued", "Denied", "Failed"];

/** `podcertificaterequests.certificates.k8s.io`: what a kubelet asks of a signer for one of its pods. */
export const PodCertificateRequests = defineResource<PodCertificateRequest>({
  group: "certificates.k8s.io",
  version: "v1beta1",
  kind: "PodCertificateRequest",
  plural: "podcertificaterequests",
  generation: "none",
  selectableFields: [
    { path: "spec.signerName", value: ({ spec }) => spec?.signerName ?? "" },
    { path: "spec.podName", value: ({ spec }) => spec?.podName ?? "" },
    { path: "spec.nodeName", value: ({ spec }) => spec?.nodeName ?? "" },
  ],
  defaults({ spec }) {
    if (spec) spec.maxExpirationSeconds ??= daySeconds;
  },
  validate: (request, old) => (old === undefined ? [...checkSpec(request)] : []),
  validateUpdate: (request, old) => [...checkImmutable("spec", request.spec, old.spec)],
  validateStatusUpdate: checkStatus,
});

function* checkSpec({ spec }: PodCertificateRequest): Findings {
  const { signerName = "", maxExpirationSeconds: seconds } = spec ?? {};
  yield* checkSignerName("spec.signerName", signerName);
  for (const [name, uid] of [
    ["podName", "podUID"],
    ["serviceAccountName", "serviceAccountUID"],
    ["nodeName", "nodeUID"],
  ] as const) {
    const [named, identified] = [spec?.[name] ?? "", spec?.[uid] ?? ""];
    yield* invalidFor(`spec.${name}`, named, dnsSubdomainName(named, false));
    if (identified === "") yield fieldError.invalid(`spec.${uid}`, identified, "must not be empty");
    if (identified.length > longestUid) yield fieldError.tooLong(`spec.${uid}`, longestUid);
  }
  const field = "spec.maxExpirationSeconds";
  const longest = longestSeconds(signerName);
  if (seconds === undefined) yield fieldError.required(field, "must be set");
  else if (seconds < shortestSeconds || seconds > longest) {
    yield fieldError.invalid(field, seconds, `must be in the range [${shortestSeconds}, ${longest}]`);
  }
}

const isOver = ({ status }: PodCertificateRequest): boolean =>
  (status?.conditions ?? []).some(({ type, status: state }) => terminal.includes(type) && state === "True");

/** A request ends in one of three ways, once. */
function checkStatus(request: PodCertificateRequest, old: PodCertificateRequest): FieldError[] {
  const found: FieldError[] = [];
  let known = 0;
  for (const [index, { type, status }] of (request.status?.conditions ?? []).entries()) {
    const field = `status.conditions[${index}]`;
    if (!terminal.includes(type)) {
      found.push(fieldError.notSupported(`${field}.type`, type, terminal));
      continue;
    }
    known += 1;
    if (known > 1) {
      const why = 'There may be at most one condition with type "Issued", "Denied", or "Failed"';
      found.push(fieldError.invalid(`${field}.type`, type, why));
    }
    if (status !== "True") found.push(fieldError.notSupported(`${field}.status`, status, ["True"]));
  }
  if (found.length > 0) return found;
  if (isOver(old)) {
    const why = "immutable after PodCertificateRequest is issued, denied, or failed";
    const changed = [...checkImmutable("status", request.status, old.status)].length > 0;
    return changed ? [fieldError.invalid("status", request.status, why)] : [];
  }
  return [...checkOutcome(request)];
}

function* checkOutcome({ status }: PodCertificateRequest): Findings {
  const [type] = (status?.conditions ?? []).map((condition) => condition.type);
  const { conditions: _conditions, ...rest } = status ?? {};
  if (type === "Denied" || type === "Failed") {
    const why = "non-condition status fields must be empty when denying or failing the PodCertificateRequest";
    if (Object.keys(rest).length > 0) yield fieldError.invalid("status", status, why);
  }
  if (type !== "Issued") return;
  const chain = status?.certificateChain ?? "";
  if (chain.length > largestChain) yield fieldError.tooLong("status.certificateChain", largestChain);
  else if (!chain.includes("-----BEGIN ")) {
    const why = "issued certificate chain must contain at least one certificate";
    yield fieldError.invalid("status.certificateChain", chain, why);
  }
  const consistent = "must be present and consistent with the issued certificate";
  if (!status?.notBefore) yield fieldError.required("status.notBefore", consistent);
  if (!status?.notAfter) yield fieldError.required("status.notAfter", consistent);
  if (!status?.beginRefreshAt) {
    yield fieldError.required(
      "status.beginRefreshAt",
      "must be present and in the range [notbefore+10min, notafter-10min]",
    );
  }
}
