import { defineResource } from "../../define-resource.ts";
import type { ServiceAccount } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";

const columns: readonly Column<ServiceAccount>[] = [
  {
    title: "Secrets",
    description:
      "Secrets is a list of the secrets in the same namespace that pods running using this ServiceAccount are allowed to use.",
    value: ({ secrets }) => secrets?.length ?? 0,
  },
  age,
];

const mountableOnly = "kubernetes.io/enforce-mountable-secrets";

function warnings({ metadata }: ServiceAccount, old?: ServiceAccount): string[] {
  const had = old?.metadata.annotations?.[mountableOnly] !== undefined;
  if (had || metadata.annotations?.[mountableOnly] === undefined) return [];
  return [
    `metadata.annotations[${mountableOnly}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
  ];
}

/** `serviceaccounts`. */
export const ServiceAccounts = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  columns,
  warnings,
});
