import { defineResource } from "../../define-resource.ts";
import type { Ingress } from "../../generated/types/networking-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { checkIngress, checkIngressStatus } from "./ingress-validation.ts";

function hostsText({ spec }: Ingress): string {
  const hosts = (spec.rules ?? []).map(({ host }) => host ?? "").filter((host) => host !== "");
  if (hosts.length === 0) return "*";
  return `${hosts.slice(0, 3).join(",")}${hosts.length > 3 ? ` + ${hosts.length - 3} more...` : ""}`;
}

function addressText({ status }: Ingress): string {
  const all = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
  return [...new Set(all.filter((address) => address !== ""))].sort().join(",");
}

const columns: readonly Column<Ingress>[] = [
  { title: "Class", value: ({ spec }) => spec.ingressClassName ?? "<none>" },
  {
    title: "Hosts",
    description: "Hosts that incoming requests are matched against before the ingress rule",
    value: hostsText,
  },
  {
    title: "Address",
    description: "Address is a list containing ingress points for the load-balancer",
    value: addressText,
  },
  {
    title: "Ports",
    description: "Ports of TLS configurations that open",
    value: ({ spec }) => (spec.tls?.length ? "80, 443" : "80"),
  },
  age,
];

/** `ingresses.networking.k8s.io`. */
export const Ingresses = defineResource<Ingress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  emptyStatus: { loadBalancer: {} },
  columns,
  defaults(ingress) {
    ingress.spec ??= {};
  },
  validate: (ingress, old) => [...checkIngress(ingress, old)],
  validateStatusUpdate: (ingress) => [...checkIngressStatus(ingress)],
  warnings: ({ metadata, spec }) =>
    metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined && spec.ingressClassName === undefined
      ? [`annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
});
