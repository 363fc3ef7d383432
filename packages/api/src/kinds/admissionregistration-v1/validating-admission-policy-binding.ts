import { defineResource } from "../../define-resource.ts";
import type { ValidatingAdmissionPolicyBinding } from "../../generated/types/admissionregistration-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { paramRefText } from "./policy-columns.ts";
import { checkBinding, checkValidationActions } from "./policy-validation.ts";
import { defaultMatch } from "./webhook-rules.ts";

const columns: readonly Column<ValidatingAdmissionPolicyBinding>[] = [
  { title: "PolicyName", value: ({ spec }) => spec?.policyName ?? "" },
  { title: "ParamRef", value: ({ spec }) => paramRefText(spec?.paramRef) },
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
  validate: ({ spec }) => [
    ...checkBinding(spec ?? {}),
    ...checkValidationActions("spec.validationActions", spec?.validationActions ?? []),
  ],
});
