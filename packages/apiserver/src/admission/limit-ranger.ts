import {
  asMillis,
  compareQuantities,
  type LimitRangeItem,
  LimitRanges,
  PersistentVolumeClaims,
  type PodSpec,
  Pods,
  podLimits,
  podRequests,
} from "@skiff/api";
import type { AdmissionPlugin, ResourceTable } from "../contracts.ts";
import { objectOf, refused } from "./narrow.ts";

type Amounts = Readonly<Record<string, string>>;
type Container = PodSpec["containers"][number];

const annotation = "kubernetes.io/limit-ranger";

/** Defaults and bounds of what pods and claims ask for, by namespace. */
export function limitRanger(table: ResourceTable): AdmissionPlugin {
  const itemsIn = (namespace: string): readonly LimitRangeItem[] =>
    table
      .of(LimitRanges)
      .peekAll(namespace)
      .flatMap(({ spec }) => spec?.limits ?? []);
  return {
    name: "LimitRanger",
    resources: [Pods, PersistentVolumeClaims],
    handles: ({ operation, subresource, resource }) =>
      operation === "CREATE"
        ? subresource === undefined
        : operation === "UPDATE" && subresource === (resource.plural === "pods" ? "resize" : undefined),
    admit(request) {
      const pod = objectOf(request, Pods);
      if (pod?.spec === undefined || request.operation !== "CREATE") return;
      const defaults = itemsIn(request.namespace ?? "").filter(({ type }) => type === "Container");
      const done: string[] = [];
      for (const item of defaults) {
        for (const container of pod.spec.containers) done.push(...fillIn(container, item, "container"));
        for (const container of pod.spec.initContainers ?? []) done.push(...fillIn(container, item, "init container"));
      }
      if (done.length === 0) return;
      const text = `LimitRanger plugin set: ${done.join("; ")}`;
      pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: text };
    },
    validate(request) {
      const spec = objectOf(request, Pods)?.spec;
      const storage = objectOf(request, PersistentVolumeClaims)?.spec.resources?.requests;
      const all = itemsIn(request.namespace ?? "").flatMap((item) => [
        ...(spec === undefined ? [] : exceeded(spec, item)),
        ...(storage === undefined || item.type !== "PersistentVolumeClaim" ? [] : checkClaim(item, storage)),
      ]);
      const findings = [...new Set(all)];
      const [only] = findings;
      if (only === undefined) return;
      throw refused(request, findings.length === 1 ? only : `[${findings.join(", ")}]`);
    },
  };
}

/** Gives a container what it does not say itself; says what it gave. */
function fillIn(container: Container, item: LimitRangeItem, what: string): string[] {
  const given = { ...container.resources };
  const missing = (have: Amounts = {}, wanted: Amounts = {}): Amounts =>
    Object.fromEntries(Object.entries(wanted).filter(([name]) => have[name] === undefined));
  const requests = missing(given.requests, item.defaultRequest);
  const limits = missing(given.limits, item.default);
  const said: string[] = [];
  for (const [kind, added] of [
    ["request", requests],
    ["limit", limits],
  ] as const) {
    const names = Object.keys(added).sort();
    if (names.length > 0) said.push(`${names.join(", ")} ${kind} for ${what} ${container.name}`);
  }
  if (said.length === 0) return said;
  container.resources = {
    ...given,
    requests: { ...given.requests, ...requests },
    limits: { ...given.limits, ...limits },
  };
  return said;
}

function exceeded(spec: PodSpec, item: LimitRangeItem): string[] {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  if (item.type === "Container") {
    return all.flatMap(({ resources }) => check(item, resources?.requests ?? {}, resources?.limits ?? {}));
  }
  if (item.type !== "Pod") return [];
  // What the runtime itself takes is not the pod's to say.
  const { overhead: _overhead, ...own } = spec;
  return check(item, podRequests({ spec: own }), podLimits({ spec: own }));
}

/** Claims have requests only. */
function checkClaim({ type, min = {}, max = {} }: LimitRangeItem, requests: Amounts): string[] {
  const findings = check({ type, min }, requests, {});
  for (const [name, most] of Object.entries(max)) {
    const bound = `maximum ${name} usage per ${type} is ${most}`;
    const request = requests[name];
    if (request === undefined) findings.push(`${bound}.  No request is specified`);
    else if (compareQuantities(request, most) > 0) findings.push(`${bound}, but request is ${request}`);
  }
  return findings;
}

/** What is beyond an item's bounds, in Kubernetes' words (both blanks included). */
function check(
  { type, min = {}, max = {}, maxLimitRequestRatio = {} }: LimitRangeItem,
  requests: Amounts,
  limits: Amounts,
): string[] {
  const findings: string[] = [];
  for (const [name, least] of Object.entries(min)) {
    const bound = `minimum ${name} usage per ${type} is ${least}`;
    const [request, limit] = [requests[name], limits[name]];
    if (request === undefined) findings.push(`${bound}.  No request is specified`);
    else if (compareQuantities(request, least) < 0) findings.push(`${bound}, but request is ${request}`);
    else if (limit !== undefined && compareQuantities(limit, least) < 0)
      findings.push(`${bound}, but limit is ${limit}`);
  }
  for (const [name, most] of Object.entries(max)) {
    const bound = `maximum ${name} usage per ${type} is ${most}`;
    const [request, limit] = [requests[name], limits[name]];
    if (limit === undefined) findings.push(`${bound}.  No limit is specified`);
    else if (compareQuantities(limit, most) > 0) findings.push(`${bound}, but limit is ${limit}`);
    else if (request !== undefined && compareQuantities(request, most) > 0)
      findings.push(`${bound}, but request is ${request}`);
  }
  for (const [name, ratio] of Object.entries(maxLimitRequestRatio)) {
    const bound = `${name} max limit to request ratio per ${type} is ${ratio}`;
    const [request, limit] = [asMillis(requests[name] ?? "0"), asMillis(limits[name] ?? "0")];
    if (request === 0) findings.push(`${bound}, but no request is specified or request is 0`);
    else if (limit === 0) findings.push(`${bound}, but no limit is specified or limit is 0`);
    else if ((limit / request) * 1000 > asMillis(ratio)) {
      findings.push(`${bound}, but provided ratio is ${(limit / request).toFixed(6)}`);
    }
  }
  return findings;
}
