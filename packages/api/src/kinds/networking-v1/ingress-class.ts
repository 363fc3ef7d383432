import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { IngressClass } from "../../generated/types/networking-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkChoice, checkDnsLabel, checkImmutable, type Findings } from "../../validation/checks.ts";
import { checkDomainPath } from "../../validation/domain-path.ts";
import { age } from "../columns.ts";
import { checkTypedReference } from "./ingress-validation.ts";

function parametersText({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (parameters === undefined) return "<none>";
  const group = parameters.apiGroup ? `.${parameters.apiGroup}` : "";
  return `${parameters.kind}${group}/${parameters.name}`;
}

const columns: readonly Column<IngressClass>[] = [
  {
    title: "Controller",
    description: "Controller that is responsible for handling this class",
    value: ({ spec }) => spec?.controller ?? "",
  },
  { title: "Parameters", description: "A reference to a resource with additional parameters", value: parametersText },
  age,
];

function* checkClass({ spec }: IngressClass): Findings {
  const { controller = "", parameters } = spec ?? {};
  if (controller.length > 250) yield fieldError.tooLong("spec.controller", 250);
  yield* checkDomainPath("spec.controller", controller);
  if (parameters === undefined) return;
  const field = "spec.parameters";
  const { scope, namespace } = parameters;
  yield* checkTypedReference(field, parameters);
  if (scope === undefined) return yield fieldError.required(`${field}.scope`);
  yield* checkChoice(`${field}.scope`, scope, ["Cluster", "Namespace"]);
  if (scope === "Namespace") {
    if (namespace === undefined) {
      yield fieldError.required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'");
    } else yield* checkDnsLabel(`${field}.namespace`, namespace);
  } else if (scope === "Cluster" && namespace !== undefined) {
    yield fieldError.forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'");
  }
}

/** `ingressclasses.networking.k8s.io`. */
export const IngressClasses = defineResource<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  generation: "object",
  columns,
  validate: (ingressClass) => [...checkClass(ingressClass)],
  validateUpdate: ({ spec }, old) => [
    ...checkImmutable("spec.controller", spec?.controller ?? "", old.spec?.controller ?? ""),
  ],
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
});
