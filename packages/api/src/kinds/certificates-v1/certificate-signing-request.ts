import { deepCopy } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { CertificateSigningRequest } from "../../generated/types/certificates-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { humanDuration } from "../human-duration.ts";

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
  prepareUpdate(request, old) {
    request.spec = deepCopy(old.spec);
  },
});
