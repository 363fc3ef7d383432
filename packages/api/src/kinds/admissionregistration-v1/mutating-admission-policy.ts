import { defineResource } from "../../define-resource.ts";
import type { MutatingAdmissionPolicy } from "../../generated/types/admissionregistration-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { paramKindText } from "./policy-columns.ts";
import { checkMutatingPolicy } from "./policy-validation.ts";
import { defaultMatch } from "./webhook-rules.ts";

const columns: readonly Column<MutatingAdmissionPolicy>[] = [
  {
    title: "Mutations",
    type: "integer",
    description: "Mutation indicates the number of mutations rules defined in this configuration",
    value: ({ spec }) => spec?.mutations?.length ?? 0,
  },
  { title: "ParamKind", value: ({ spec }) => paramKindText(spec?.paramKind) },
  age,
];

/** `mutatingadmissionpolicies.admissionregistration.k8s.io`. */
export const MutatingAdmissionPolicies = defineResource<MutatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  generation: "spec",
  columns,
  defaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= "Fail";
    spec.reinvocationPolicy ??= "Never";
    defaultMatch(spec.matchConstraints);
  },
  validate: ({ spec = {} }) => [...checkMutatingPolicy(spec)],
});
