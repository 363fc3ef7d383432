import { defineResource } from "../../define-resource.ts";
import type { ValidatingAdmissionPolicy } from "../../generated/types/admissionregistration-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { paramKindText } from "./policy-columns.ts";
import { checkValidatingPolicy } from "./policy-validation.ts";
import { defaultMatch } from "./webhook-rules.ts";

const columns: readonly Column<ValidatingAdmissionPolicy>[] = [
  {
    title: "Validations",
    type: "integer",
    description: "Validations indicates the number of validation rules defined in this configuration",
    value: ({ spec }) => spec?.validations?.length ?? 0,
  },
  { title: "ParamKind", value: ({ spec }) => paramKindText(spec?.paramKind) },
  age,
];

/** `validatingadmissionpolicies.admissionregistration.k8s.io`. */
export const ValidatingAdmissionPolicies = defineResource<ValidatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  columns,
  defaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= "Fail";
    defaultMatch(spec.matchConstraints);
  },
  validate: ({ metadata, spec = {} }) => [...checkValidatingPolicy(metadata.name ?? "", spec)],
});
