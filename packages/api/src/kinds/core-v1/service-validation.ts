import { fieldError } from "../../field-error.ts";
import type { Service, ServicePort } from "../../generated/types/core-v1.ts";
import {
  checkChoice,
  checkCIDR,
  checkDnsLabel,
  checkDnsSubdomain,
  checkIP,
  checkNonSpecialIP,
  checkPort,
  checkPortNumberOrName,
  checkQualifiedName,
  checkRequiredChoice,
  checkUnique,
  type Findings,
} from "../../validation/checks.ts";
import { checkLabels } from "../../validation/labels.ts";
import { checkServiceAddresses } from "./service-address-validation.ts";
import {
  isExternallyAccessible,
  isHeadlessService,
  needsClusterIP,
  needsHealthCheckNodePort,
} from "./service-traits.ts";

const onlyForLoadBalancers = "may only be used when `type` is 'LoadBalancer'";

/** A Service whose addresses and ports are allocated by now. */
export function* checkService(service: Service): Findings {
  const { spec } = service;
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadlessService(service) && spec.type !== "ExternalName") {
    yield fieldError.required("spec.ports");
  }
  yield* checkByType(service);
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    yield* checkServicePort(`spec.ports[${index}]`, port, { names, nameRequired: ports.length > 1 });
  }
  yield* checkLabels("spec.selector", spec.selector);
  yield* checkAffinity(service);
  yield* checkServiceAddresses(service);
  for (const [index, address] of (spec.externalIPs ?? []).entries()) {
    const problems = [...checkIP(`spec.externalIPs[${index}]`, address)];
    yield* problems;
    if (problems.length === 0) yield* checkNonSpecialIP(`spec.externalIPs[${index}]`, address);
  }
  yield* checkRequiredChoice("spec.type", spec.type, ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
  yield* checkUniquePorts(spec.type, ports);
  yield* checkLoadBalancer(service);
  yield* checkTrafficPolicies(service);
}

function* checkByType(service: Service): Findings {
  const { spec } = service;
  if ((spec.type === "LoadBalancer" || spec.type === "NodePort") && isHeadlessService(service)) {
    yield fieldError.invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`);
  }
  if (spec.type !== "ExternalName") return;
  const message = "may not be set for ExternalName services";
  if (spec.clusterIPs?.length) yield fieldError.forbidden("spec.clusterIPs", message);
  if (spec.ipFamilies?.length) yield fieldError.forbidden("spec.ipFamilies", message);
  if (spec.ipFamilyPolicy !== undefined) yield fieldError.forbidden("spec.ipFamilyPolicy", message);
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name) yield* checkDnsSubdomain("spec.externalName", name);
  else yield fieldError.required("spec.externalName");
}

function* checkServicePort(
  field: string,
  { name, port, protocol, targetPort, appProtocol }: ServicePort,
  { names, nameRequired }: { readonly names: Set<string>; readonly nameRequired: boolean },
): Findings {
  if (name) {
    yield* checkDnsLabel(`${field}.name`, name);
    yield* checkUnique(`${field}.name`, name, names);
  } else if (nameRequired) yield fieldError.required(`${field}.name`);
  yield* checkPort(`${field}.port`, port ?? 0);
  yield* checkRequiredChoice(`${field}.protocol`, protocol, ["SCTP", "TCP", "UDP"]);
  yield* checkPortNumberOrName(`${field}.targetPort`, targetPort ?? 0);
  if (appProtocol !== undefined) yield* checkQualifiedName(`${field}.appProtocol`, appProtocol);
}

const longestAffinitySeconds = 86_400;

function* checkAffinity({ spec }: Service): Findings {
  yield* checkRequiredChoice("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"]);
  const field = "spec.sessionAffinityConfig";
  const { sessionAffinityConfig: config } = spec;
  if (spec.sessionAffinity === "None" && config !== undefined) {
    yield fieldError.forbidden(field, "must not be set when session affinity is None");
  }
  if (spec.sessionAffinity !== "ClientIP") return;
  const message = "when session affinity type is ClientIP";
  if (config === undefined) return yield fieldError.required(field, message);
  if (config.clientIP === undefined) return yield fieldError.required(`${field}.clientIP`, message);
  const seconds = config.clientIP.timeoutSeconds;
  const path = `${field}.clientIP.timeoutSeconds`;
  if (seconds === undefined) yield fieldError.required(path, message);
  else if (seconds <= 0 || seconds > longestAffinitySeconds) {
    yield fieldError.invalid(path, seconds, `must be greater than 0 and less than ${longestAffinitySeconds}`);
  }
}

function* checkUniquePorts(type: string | undefined, ports: readonly ServicePort[]): Findings {
  if (type === "ClusterIP") {
    for (const [index, { nodePort }] of ports.entries()) {
      if (!nodePort) continue;
      yield fieldError.forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'");
    }
  }
  const nodePorts = new Set<string>();
  for (const [index, { nodePort, protocol }] of ports.entries()) {
    if (!nodePort) continue;
    const key = `${protocol}/${nodePort}`;
    if (nodePorts.has(key)) yield fieldError.duplicate(`spec.ports[${index}].nodePort`, nodePort);
    nodePorts.add(key);
  }
  const taken = new Set<string>();
  for (const [index, { port, protocol }] of ports.entries()) {
    const key = `${protocol}/${port}`;
    if (taken.has(key)) yield fieldError.duplicate(`spec.ports[${index}]`, { protocol, port });
    taken.add(key);
  }
}

const sourceRangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";

function* checkLoadBalancer({ spec, metadata }: Service): Findings {
  const balanced = spec.type === "LoadBalancer";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotated = metadata.annotations?.[sourceRangesAnnotation];
  if (ranges.length > 0) {
    const field = "spec.LoadBalancerSourceRanges";
    if (!balanced) yield fieldError.forbidden(field, onlyForLoadBalancers);
    for (const [index, range] of ranges.entries()) yield* checkCIDR(`${field}[${index}]`, range.trim());
  } else if (annotated !== undefined) {
    const field = `metadata.annotations[${sourceRangesAnnotation}]`;
    if (!balanced) yield fieldError.forbidden(field, onlyForLoadBalancers);
    for (const range of annotated.split(",")) if (range.trim()) yield* checkCIDR(field, range.trim());
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) {
    yield fieldError.forbidden("spec.allocateLoadBalancerNodePorts", onlyForLoadBalancers);
  }
  if (spec.loadBalancerClass === undefined) return;
  if (balanced) yield* checkQualifiedName("spec.loadBalancerClass", spec.loadBalancerClass);
  else yield fieldError.forbidden("spec.loadBalancerClass", onlyForLoadBalancers);
}

function* checkTrafficPolicies(service: Service): Findings {
  const { spec } = service;
  const field = "spec.externalTrafficPolicy";
  if (isExternallyAccessible(service)) {
    yield* checkRequiredChoice(field, spec.externalTrafficPolicy, ["Cluster", "Local"]);
  } else if (spec.externalTrafficPolicy) {
    yield fieldError.invalid(field, spec.externalTrafficPolicy, "may only be set for externally-accessible services");
  }
  const healthCheck = spec.healthCheckNodePort ?? 0;
  if (needsHealthCheckNodePort(service)) {
    if (healthCheck === 0) yield fieldError.required("spec.healthCheckNodePort");
    else yield* checkPort("spec.healthCheckNodePort", healthCheck);
  } else if (healthCheck !== 0) {
    const message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    yield fieldError.invalid("spec.healthCheckNodePort", healthCheck, message);
  }
  if (needsClusterIP(service) && spec.internalTrafficPolicy === undefined) {
    yield fieldError.required("spec.internalTrafficPolicy");
  }
  yield* checkChoice("spec.internalTrafficPolicy", spec.internalTrafficPolicy, ["Cluster", "Local"]);
  yield* checkChoice("spec.trafficDistribution", spec.trafficDistribution, [
    "PreferClose",
    "PreferSameNode",
    "PreferSameZone",
  ]);
}

/** What a load balancer reports of itself. */
export function* checkServiceStatus({ spec, status }: Service): Findings {
  const field = "status.loadBalancer.ingress";
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0 && spec.type !== "LoadBalancer") {
    return yield fieldError.forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'");
  }
  for (const [index, { ip, ipMode, hostname }] of ingress.entries()) {
    const path = `${field}[${index}]`;
    if (ip) yield* checkIP(`${path}.ip`, ip);
    if (ip && ipMode === undefined) yield fieldError.required(`${path}.ipMode`, "must be specified when `ip` is set");
    else if (!ip && ipMode !== undefined) {
      yield fieldError.forbidden(`${path}.ipMode`, "may not be specified when `ip` is not set");
    } else yield* checkChoice(`${path}.ipMode`, ipMode, ["Proxy", "VIP"]);
    if (!hostname) continue;
    yield* checkDnsSubdomain(`${path}.hostname`, hostname);
    if ([...checkIP("", hostname)].length === 0) {
      yield fieldError.invalid(`${path}.hostname`, hostname, "must be a DNS name, not an IP address");
    }
  }
}
