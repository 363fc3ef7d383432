import { EndpointSlices, Namespaces, Services } from "@skiff/api";
import type { Informers } from "@skiff/client";
import type { ZoneSource } from "./zone.ts";

const byService = "service";
const byAddress = "cluster-ip";
const byEndpoint = "endpoint";

/** The zone as the informers' caches have it at the moment of each question. */
export function clusterZone(domain: string, informers: Informers): ZoneSource {
  const services = informers.for(Services);
  const slices = informers.for(EndpointSlices);
  const namespaces = informers.for(Namespaces);
  slices.addIndex(byService, ({ metadata }) => {
    const name = metadata.labels?.["kubernetes.io/service-name"];
    return name === undefined ? [] : [`${metadata.namespace}/${name}`];
  });
  slices.addIndex(byEndpoint, ({ endpoints }) => [...new Set((endpoints ?? []).flatMap(({ addresses }) => addresses))]);
  services.addIndex(byAddress, ({ spec }) => (spec.clusterIPs ?? []).filter((address) => address !== "None"));
  return {
    domain,
    service: (namespace, name) => services.get(name, namespace),
    slices: (namespace, service) => slices.byIndex(byService, `${namespace}/${service}`),
    namespaceExists: (name) => namespaces.get(name) !== undefined,
    byAddress: (address) => services.byIndex(byAddress, address)[0],
    slicesByAddress: (address) => slices.byIndex(byEndpoint, address),
  };
}
