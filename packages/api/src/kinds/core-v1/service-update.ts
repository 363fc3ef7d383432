/**
 * What becomes of allocated values when a Service changes: a client that left them out keeps them, and values that only the
 * old type has go away unless the client changed them (which validation then refuses).
 */
import { deepCopy, jsonEqual } from "@skiff/base";
import { keepField } from "../../define-resource.ts";
import type { Service, ServicePort, ServiceSpec } from "../../generated/types/core-v1.ts";
import { isExternallyAccessible, needsClusterIP, needsHealthCheckNodePort, needsNodePort } from "./service-traits.ts";

/** `clusterIP` is the first of `clusterIPs`: who knows only the older field sets both. */
export function alignClusterIPs(spec: ServiceSpec, old?: ServiceSpec): void {
  if (old === undefined) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  if ((spec.clusterIP ?? "") === (old.clusterIP ?? "")) return;
  if (!jsonEqual(spec.clusterIPs, old.clusterIPs)) return;
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
  else delete spec.clusterIPs;
}

/** Gives back what the allocators gave before. */
export function keepAllocated(service: Service, old: Service): void {
  const { spec } = service;
  if (needsClusterIP(old) && needsClusterIP(service)) {
    if (!spec.clusterIP) keepField(spec, old.spec, "clusterIP");
    if (!spec.clusterIPs?.length && spec.clusterIP === old.spec.clusterIP) keepField(spec, old.spec, "clusterIPs");
  }
  if (needsNodePort(old) && needsNodePort(service)) keepNodePorts(spec.ports ?? [], old.spec.ports ?? []);
  if (needsHealthCheckNodePort(old) && needsHealthCheckNodePort(service) && !spec.healthCheckNodePort) {
    keepField(spec, old.spec, "healthCheckNodePort");
  }
}

function keepNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): void {
  const key = ({ port, protocol }: ServicePort) => `${protocol ?? "TCP"}/${port}`;
  const given = new Map(old.map((port) => [key(port), port.nodePort]));
  const taken = new Set(ports.map(({ nodePort, protocol }) => `${protocol}/${nodePort}`));
  for (const port of ports) {
    const nodePort = given.get(key(port));
    if (port.nodePort || !nodePort || taken.has(`${port.protocol}/${nodePort}`)) continue;
    port.nodePort = nodePort;
  }
}

/** Drops what only the old type needed. */
export function dropForeignFields(service: Service, old: Service): void {
  const { spec } = service;
  const unchanged = (...fields: readonly (keyof ServiceSpec)[]) =>
    fields.every((field) => jsonEqual(spec[field], old.spec[field]));
  const drop = (...fields: readonly (keyof ServiceSpec)[]) => {
    for (const field of fields) delete spec[field];
  };
  if (needsClusterIP(old) && !needsClusterIP(service)) {
    if (unchanged("clusterIP", "clusterIPs")) drop("clusterIP", "clusterIPs");
    if (unchanged("ipFamilies")) drop("ipFamilies");
    if (unchanged("ipFamilyPolicy")) drop("ipFamilyPolicy");
    if (unchanged("internalTrafficPolicy")) drop("internalTrafficPolicy");
  }
  if (needsNodePort(old) && !needsNodePort(service)) dropNodePorts(spec.ports ?? [], old.spec.ports ?? []);
  if (needsHealthCheckNodePort(old) && !needsHealthCheckNodePort(service) && unchanged("healthCheckNodePort")) {
    drop("healthCheckNodePort");
  }
  if (old.spec.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (unchanged("allocateLoadBalancerNodePorts")) drop("allocateLoadBalancerNodePorts");
    if (unchanged("loadBalancerClass")) drop("loadBalancerClass");
    service.status = { ...deepCopy(service.status), loadBalancer: {} };
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(service) && unchanged("externalTrafficPolicy")) {
    drop("externalTrafficPolicy");
  }
}

function dropNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): void {
  const known = new Set(old.map(({ nodePort }) => nodePort));
  if (ports.some(({ nodePort }) => nodePort && !known.has(nodePort))) return;
  for (const port of ports) delete port.nodePort;
}
