import { deepCopy } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { CertificateSigningRequest } from "../../generated/types/certificates-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { age } from "../columns.ts";
import { humanDuration } from "../human-duration.ts";
import { checkProgress, keepAllButConditions, stampConditions } from "./request-conditions.ts";
import { checkOutcome, checkRequest } from "./request-validation.ts";

function conditionText({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map(({ type }) => type));
  const texts = [types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending"];
  if (types.has("Failed")) texts.push("Failed");
  if (status?.certificate) texts.push("Issued");
  return texts.join(",");
}

const columns: readonly Column<CertificateSigningRequest>[] = [
  age,
  { title: "SignerName", value: ({ spec }) => spec.signerName || "<none>" },
  { title: "Requestor", value: ({ spec }) => spec.username ?? "" },
  {
    title: "RequestedDuration",
    value: ({ spec }) =>
      spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000),
  },
  { title: "Condition", value: conditionText },
];

/** `certificatesigningrequests.certificates.k8s.io`. */
export const CertificateSigningRequests = defineResource<CertificateSigningRequest>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  generation: "none",
  columns,
  selectableFields: [{ path: "spec.signerName", value: ({ spec }) => spec?.signerName ?? "" }],
  validateName: pathSegmentName,
  prepareCreate({ spec }, { user }) {
    for (const field of ["username", "uid", "groups", "extra"] as const) delete spec[field];
    if (user === undefined) return;
    spec.username = user.name;
    if (user.uid) spec.uid = user.uid;
    if (user.groups.length > 0) spec.groups = [...user.groups];
    const extra = Object.entries(user.extra ?? {}).map(([key, values]): [string, string[]] => [key, [...values]]);
    if (extra.length > 0) spec.extra = Object.fromEntries(extra);
  },
  prepareUpdate(request, old) {
    request.spec = deepCopy(old.spec);
  },
  prepareStatusUpdate: stampConditions,
  validate: (request) => [...checkRequest(request)],
  validateUpdate: (request, old) => checkProgress(request, old, { decide: false, certify: false }),
  validateStatusUpdate: (request, old) => [
    ...checkOutcome(request),
    ...checkProgress(request, old, { decide: false, certify: true }),
  ],
  parts: {
    approval: {
      prepare(request, old, moment) {
        stampConditions(request, old, moment);
        keepAllButConditions(request, old);
      },
      validate: (request, old) => [
        ...checkOutcome(request),
        ...checkProgress(request, old, { decide: true, certify: false }),
      ],
    },
  },
});
