import { defineResource } from "../../define-resource.ts";
import type { MutatingAdmissionPolicyBinding } from "../../generated/types/admissionregistration-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { paramRefText } from "./policy-columns.ts";
import { checkBinding } from "./policy-validation.ts";
import { defaultMatch } from "./webhook-rules.ts";

const columns: readonly Column<MutatingAdmissionPolicyBinding>[] = [
  { title: "PolicyName", value: ({ spec }) => spec?.policyName ?? "" },
  { title: "ParamRef", value: ({ spec }) => paramRefText(spec?.paramRef) },
  age,
];

/** `mutatingadmissionpolicybindings.admissionregistration.k8s.io`. */
export const MutatingAdmissionPolicyBindings = defineResource<MutatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicyBinding",
  plural: "mutatingadmissionpolicybindings",
  generation: "spec",
  columns,
  defaults({ spec }) {
    defaultMatch(spec?.matchResources);
  },
  validate: ({ spec = {} }) => [...checkBinding(spec)],
});
