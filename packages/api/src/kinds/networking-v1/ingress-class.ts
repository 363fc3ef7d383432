import { defineResource } from "../../define-resource.ts";
import type { IngressClass } from "../../generated/types/networking-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";

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

/** `ingressclasses.networking.k8s.io`. */
export const IngressClasses = defineResource<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  generation: "object",
  columns,
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
});
