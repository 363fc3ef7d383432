import { defineResource } from "../../define-resource.ts";
import type { ParamRef, ValidatingAdmissionPolicyBinding } from "../../generated/types/admissionregistration-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { selectorText } from "../workload-columns.ts";
import { defaultMatch } from "./webhook-rules.ts";

function paramText(ref: ParamRef | undefined): string {
  if (ref === undefined) return "<unset>";
  if (ref.name) return ref.namespace ? `${ref.namespace}/${ref.name}` : `*/${ref.name}`;
  return `${ref.namespace ? `${ref.namespace}/` : ""}${selectorText(ref.selector)}`;
}

const columns: readonly Column<ValidatingAdmissionPolicyBinding>[] = [
  { title: "PolicyName", value: ({ spec }) => spec?.policyName ?? "" },
  { title: "ParamRef", value: ({ spec }) => paramText(spec?.paramRef) },
  age,
];

/** `validatingadmissionpolicybindings.admissionregistration.k8s.io`. */
export const ValidatingAdmissionPolicyBindings = defineResource<ValidatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  generation: "object",
  columns,
  defaults({ spec }) {
    defaultMatch(spec?.matchResources);
  },
});
