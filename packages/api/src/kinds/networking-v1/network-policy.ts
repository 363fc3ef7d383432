import { defineResource } from "../../define-resource.ts";
import type { NetworkPolicy } from "../../generated/types/networking-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { selectorText } from "../workload-columns.ts";
import { checkNetworkPolicy } from "./network-policy-validation.ts";

const columns: readonly Column<NetworkPolicy>[] = [
  { title: "Pod-Selector", value: ({ spec }) => selectorText(spec?.podSelector) },
  age,
];

/** `networkpolicies.networking.k8s.io`. */
export const NetworkPolicies = defineResource<NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  generation: "object",
  columns,
  validate: (policy) => [...checkNetworkPolicy(policy)],
  defaults(policy) {
    policy.spec ??= {};
    const { spec } = policy;
    spec.podSelector ??= {};
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress ? ["Ingress", "Egress"] : ["Ingress"];
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= "TCP";
    }
  },
});
