import { isIP } from "node:net";
import { fieldError } from "../../field-error.ts";
import type { TypedLocalObjectReference } from "../../generated/types/core-v1.ts";
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressTLS,
} from "../../generated/types/networking-v1.ts";
import {
  checkDnsSubdomain,
  checkIP,
  checkPort,
  checkPortName,
  type Findings,
  invalidFor,
} from "../../validation/checks.ts";
import { dnsLabel, dnsSubdomain, pathSegmentName } from "../../validation/names.ts";
import { wildcardSubdomain } from "../../validation/wildcard-names.ts";

const classAnnotation = "kubernetes.io/ingress.class";
const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const wrongInside = ["//", "/./", "/../", "%2f", "%2F"];
const wrongAtEnd = ["/..", "/."];

/** An Ingress; `old` is absent for a new one. */
export function* checkIngress({ metadata, spec }: Ingress, old: Ingress | undefined): Findings {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec;
  if (rules.length === 0 && !defaultBackend) {
    yield fieldError.invalid("spec", spec.rules ?? null, "either `defaultBackend` or `rules` must be specified");
  }
  if (defaultBackend) yield* checkBackend("spec.defaultBackend", defaultBackend);
  for (const [index, rule] of rules.entries()) yield* checkRule(`spec.rules[${index}]`, rule, old);
  // A secret's name that was let in before stays.
  const anySecret =
    old?.spec?.tls?.some(({ secretName }) => secretName && dnsSubdomain(secretName).length > 0) === true;
  for (const [index, one] of tls.entries()) yield* checkTls(`spec.tls[${index}]`, one, anySecret);
  if (ingressClassName !== undefined) yield* checkDnsSubdomain("spec.ingressClassName", ingressClassName);
  const annotation = metadata.annotations?.[classAnnotation];
  const differs = annotation !== undefined && ingressClassName !== undefined && annotation !== ingressClassName;
  if (old === undefined && differs) {
    const message = "must match `ingressClassName` when both are specified";
    yield fieldError.invalid(`annotations.${classAnnotation}`, annotation, message);
  }
}

function* checkRule(field: string, { host, http }: IngressRule, old: Ingress | undefined): Findings {
  const isWild = host?.includes("*") === true;
  if (host) {
    if (isIP(host) !== 0) yield fieldError.invalid(`${field}.host`, host, "must be a DNS name, not an IP address");
    yield* invalidFor(`${field}.host`, host, isWild ? wildcardSubdomain(host) : dnsSubdomain(host));
  }
  if (http === undefined || (isWild && hadWrongWildcard(old))) return;
  if (!http.paths?.length) yield fieldError.required(`${field}.http.paths`);
  for (const [index, path] of (http.paths ?? []).entries()) yield* checkPath(`${field}.http.paths[${index}]`, path);
}

const hadWrongWildcard = (old: Ingress | undefined): boolean =>
  old?.spec?.rules?.some(
    ({ host, http }) => host?.includes("*") && [...checkRule("", { host: "", http }, undefined)].length > 0,
  ) === true;

function* checkPath(field: string, { path = "", pathType, backend }: HTTPIngressPath): Findings {
  if (pathType === undefined) return yield fieldError.required(`${field}.pathType`, "pathType must be specified");
  const at = `${field}.path`;
  const isAbsolute = path.startsWith("/");
  if (pathType === "Exact" || pathType === "Prefix") {
    if (!isAbsolute) yield fieldError.invalid(at, path, "must be an absolute path");
    for (const text of wrongInside) {
      if (path.includes(text)) yield fieldError.invalid(at, path, `must not contain '${text}'`);
    }
    for (const text of wrongAtEnd) {
      if (path.endsWith(text)) yield fieldError.invalid(at, path, `cannot end with '${text}'`);
    }
  } else if (pathType === "ImplementationSpecific") {
    if (path !== "" && !isAbsolute) yield fieldError.invalid(at, path, "must be an absolute path");
  } else yield fieldError.notSupported(`${field}.pathType`, pathType, pathTypes);
  yield* checkBackend(`${field}.backend`, backend ?? {});
}

function* checkBackend(field: string, { resource, service }: IngressBackend): Findings {
  if (resource && service) {
    return yield fieldError.invalid(field, "", "cannot set both resource and service backends");
  }
  if (resource) return yield* checkTypedReference(`${field}.resource`, resource);
  if (!service) return yield fieldError.invalid(field, "", "resource or service backend is required");
  if (!service.name) yield fieldError.required(`${field}.service.name`);
  else yield* invalidFor(`${field}.service.name`, service.name, dnsLabel(service.name));
  const { name, number } = service.port ?? {};
  if (name && number) yield fieldError.invalid(field, "", "cannot set both port name & port number");
  else if (name) yield* checkPortName(`${field}.service.port.name`, name);
  else if (number) yield* checkPort(`${field}.service.port.number`, number);
  else yield fieldError.required(field, "port name or number is required");
}

/** An object of the namespace, of any kind. */
export function* checkTypedReference(field: string, reference: Partial<TypedLocalObjectReference>): Findings {
  if (reference.apiGroup !== undefined) yield* checkDnsSubdomain(`${field}.apiGroup`, reference.apiGroup);
  for (const name of ["kind", "name"] as const) {
    const value = reference[name];
    if (!value) yield fieldError.required(`${field}.${name}`);
    else yield* invalidFor(`${field}.${name}`, value, pathSegmentName(value, false));
  }
}

function* checkTls(field: string, { hosts = [], secretName }: IngressTLS, anySecret: boolean): Findings {
  for (const [index, host] of hosts.entries()) {
    const messages = host.includes("*") ? wildcardSubdomain(host) : dnsSubdomain(host);
    yield* invalidFor(`${field}.hosts[${index}]`, host, messages);
  }
  if (secretName && !anySecret) yield* checkDnsSubdomain(`${field}.secretName`, secretName);
}

/** Where an Ingress can be reached. */
export function* checkIngressStatus({ status }: Ingress): Findings {
  for (const [index, { ip, hostname }] of (status.loadBalancer?.ingress ?? []).entries()) {
    const path = `status.loadBalancer.ingress[${index}]`;
    if (ip) yield* checkIP(`${path}.ip`, ip);
    if (!hostname) continue;
    yield* checkDnsSubdomain(`${path}.hostname`, hostname);
    if (isIP(hostname) !== 0) {
      yield fieldError.invalid(`${path}.hostname`, hostname, "must be a DNS name, not an IP address");
    }
  }
}
