import { defineResource } from "../../define-resource.ts";
import type { Service } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { dnsLabelName } from "../../validation/names.ts";
import { age, formatLabels, orNone } from "../columns.ts";
import { checkServiceUpdate } from "./service-address-validation.ts";
import { defaultService } from "./service-defaults.ts";
import { alignClusterIPs, dropForeignFields, keepAllocated } from "./service-update.ts";
import { checkService, checkServiceStatus } from "./service-validation.ts";
import { serviceWarnings } from "./service-warnings.ts";

function externalAddress({ spec, status }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case "ClusterIP":
    case "NodePort":
      return orNone(external.join(","));
    case "LoadBalancer": {
      const balanced = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
      const all = [...new Set(balanced.filter((address) => address !== ""))].sort().concat(external);
      return all.length === 0 ? "<pending>" : all.join(",");
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

const portsText = ({ spec }: Service): string =>
  (spec.ports ?? [])
    .map(({ port, nodePort, protocol }) => `${nodePort ? `${port}:${nodePort}` : port}/${protocol ?? "TCP"}`)
    .join(",");

const columns: readonly Column<Service>[] = [
  { title: "Type", description: "type determines how the Service is exposed.", value: ({ spec }) => spec.type ?? "" },
  {
    title: "Cluster-IP",
    description: "clusterIP is the IP address of the service and is usually assigned randomly.",
    value: ({ spec }) => orNone(spec.clusterIPs?.[0] ?? spec.clusterIP),
  },
  {
    title: "External-IP",
    description:
      "externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this service.",
    value: externalAddress,
  },
  {
    title: "Port(s)",
    description: "The list of ports that are exposed by this service.",
    value: (service) => orNone(portsText(service)),
  },
  age,
  {
    title: "Selector",
    priority: 1,
    description: "Route service traffic to pods with label keys and values matching this selector.",
    value: ({ spec }) => formatLabels(spec.selector),
  },
];

/** `services`. */
export const Services = defineResource<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  generation: "none",
  emptyStatus: { loadBalancer: {} },
  columns,
  selectableFields: [
    { path: "spec.clusterIP", value: ({ spec }) => spec?.clusterIP ?? "" },
    { path: "spec.type", value: ({ spec }) => spec?.type ?? "" },
  ],
  validateName: dnsLabelName,
  defaults: defaultService,
  validate: (service) => [...checkService(service)],
  validateUpdate: (service, old) => [...checkServiceUpdate(service, old)],
  warnings: serviceWarnings,
  validateStatusUpdate: (service) => [...checkServiceStatus(service)],
  prepareCreate: ({ spec }) => alignClusterIPs(spec),
  prepareUpdate(service, old) {
    alignClusterIPs(service.spec, old.spec);
    dropForeignFields(service, old);
    keepAllocated(service, old);
  },
});
