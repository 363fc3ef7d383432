import { fieldError } from "../../field-error.ts";
import type { PodSpec, ResourceClaim, ResourceRequirements } from "../../generated/types/core-v1.ts";
import { compareQuantities, parseQuantity } from "../../quantity.ts";
import { checkDnsLabel, checkQualifiedName, type Findings, notNegativeMessage } from "../../validation/checks.ts";
import { qualifiedName } from "../../validation/names.ts";
import { podRequests } from "../pod-requests.ts";

const counted = [
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const ofContainers = ["cpu", "memory", "ephemeral-storage"];
const measured = [...ofContainers, "storage"];
const standard = new Set([
  ...measured,
  ...measured.map((name) => `requests.${name}`),
  ...ofContainers.map((name) => `limits.${name}`),
  ...counted,
]);

const isHugePages = (name: string): boolean => name.startsWith("hugepages-");
const isQuotaHugePages = (name: string): boolean => isHugePages(name) || name.startsWith("requests.hugepages-");
/** Without a domain, or in Kubernetes' own. */
const isNative = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");

/** True for resources that node plugins offer, as in `example.com/gpu`. */
export const isExtendedResource = (name: string): boolean =>
  !isNative(name) && !name.startsWith("requests.") && qualifiedName(`requests.${name}`).length === 0;

/** False for resources of which nobody gets more than was set aside. */
export const allowsOvercommit = (name: string): boolean => isNative(name) && !isHugePages(name);

/** A resource's name, of any sort that the API knows. */
export function* checkResourceName(field: string, name: string): Findings {
  const messages = qualifiedName(name);
  if (messages.length > 0) yield* checkQualifiedName(field, name);
  else if (!name.includes("/") && !standard.has(name) && !isQuotaHugePages(name)) {
    yield fieldError.invalid(field, name, "must be a standard resource type or fully qualified");
  }
}

/** True for resources by their short names that a quota can count. */
export const isQuotaResource = (name: string): boolean =>
  (standard.has(name) && name !== "storage") || isQuotaHugePages(name);

/** A resource that a quota counts. */
export function* checkQuotaResourceName(field: string, name: string): Findings {
  yield* checkResourceName(field, name);
  if (name.includes("/") || isQuotaResource(name)) return;
  yield fieldError.invalid(field, name, "must be a standard resource for quota");
}

/** What a claim for storage is about: storage, or a resource of somebody's domain. */
export function* checkStorageResourceName(field: string, name: string): Findings {
  const problems = [...checkQualifiedName(field, name)];
  yield* problems;
  if (problems.length === 0 && isNative(name) && name !== "storage") {
    yield fieldError.notSupported(field, name, ["storage"]);
  }
}

/** A resource that containers ask for. */
export function* checkContainerResourceName(field: string, name: string): Findings {
  yield* checkResourceName(field, name);
  if (!name.includes("/")) {
    if (!ofContainers.includes(name) && !isHugePages(name)) {
      yield fieldError.invalid(field, name, "must be a standard resource for containers");
    }
  } else if (!isNative(name) && !isExtendedResource(name)) {
    yield fieldError.invalid(field, name, "doesn't follow extended resource name standard");
  }
}

function* checkPodResourceName(field: string, name: string): Findings {
  yield* checkResourceName(field, name);
  if (!["cpu", "memory"].includes(name) && !isHugePages(name)) {
    yield fieldError.notSupported(field, name, ["cpu", "hugepages-", "memory"]);
  }
}

/** An amount of a resource: not negative, whole where the resource comes in pieces. */
export function* checkAmount(field: string, name: string, amount: string): Findings {
  if (compareQuantities(amount, "0") < 0) yield fieldError.invalid(field, amount, notNegativeMessage);
  if ((counted.includes(name) || isExtendedResource(name)) && !isWhole(amount)) {
    yield fieldError.invalid(field, amount, "must be an integer");
  }
}

const isWhole = (amount: string): boolean => parseQuantity(amount).nanos % 1_000_000_000n === 0n;

/** What a container asks for and may use at most. */
export const checkContainerResources = (
  field: string,
  resources: ResourceRequirements,
  claims: ReadonlySet<string>,
): Findings => checkRequirements(field, resources, { claims, checkName: checkContainerResourceName });

/** The runtime's overhead of a pod. */
export const checkOverhead = (field: string, overhead: Readonly<Record<string, string>>): Findings =>
  checkRequirements(field, { limits: { ...overhead } }, { claims: new Set(), checkName: checkContainerResourceName });

function* checkRequirements(
  field: string,
  { limits = {}, requests = {}, claims = [] }: ResourceRequirements,
  rules: { readonly claims: ReadonlySet<string>; readonly checkName: (field: string, name: string) => Findings },
): Findings {
  for (const [name, limit] of Object.entries(limits)) {
    const path = `${field}.limits[${name}]`;
    yield* rules.checkName(path, name);
    yield* checkAmount(path, name, limit);
    yield* checkHugePages(path, name, limit);
  }
  for (const [name, request] of Object.entries(requests)) {
    const path = `${field}.requests[${name}]`;
    yield* rules.checkName(path, name);
    yield* checkAmount(path, name, request);
    yield* checkWithinLimit(field, { name, request, limit: limits[name] });
    yield* checkHugePages(path, name, request);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    yield fieldError.forbidden(field, "HugePages require cpu or memory");
  }
  yield* checkClaims(`${field}.claims`, claims, rules.claims);
}

function* checkWithinLimit(
  field: string,
  { name, request, limit }: { readonly name: string; readonly request: string; readonly limit: string | undefined },
): Findings {
  if (limit === undefined) {
    if (allowsOvercommit(name)) return;
    return yield fieldError.required(`${field}.limits`, "Limit must be set for non overcommitable resources");
  }
  const order = compareQuantities(request, limit);
  if (order !== 0 && !allowsOvercommit(name)) {
    yield fieldError.invalid(`${field}.requests`, request, `must be equal to ${name} limit of ${limit}`);
  } else if (order > 0) {
    yield fieldError.invalid(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`);
  }
}

function* checkHugePages(field: string, name: string, amount: string): Findings {
  if (!isHugePages(name)) return;
  try {
    const page = parseQuantity(name.slice("hugepages-".length)).nanos;
    if (page > 0n && parseQuantity(amount).nanos % page === 0n) return;
  } catch {
    // A size that is no quantity divides nothing.
  }
  yield fieldError.invalid(field, amount, `${amount} is not positive integer multiple of ${name}`);
}

function* checkClaims(field: string, claims: readonly ResourceClaim[], known: ReadonlySet<string>): Findings {
  const seen = new Set<string>();
  for (const [index, { name, request }] of claims.entries()) {
    const path = `${field}[${index}]`;
    if (!name) {
      yield fieldError.required(path);
      continue;
    }
    if (request) yield* checkDnsLabel(`${path}.request`, request);
    const key = request ? `${name}/${request}` : name;
    const covered = seen.has(name) || seen.has(key);
    const covers = !request && [...seen].some((other) => other.startsWith(`${name}/`));
    if (covered || covers) yield fieldError.duplicate(path, seen.has(name) ? name : key);
    seen.add(key);
    if (known.has(name)) continue;
    const listed = known.size === 0 ? " which is empty" : `: ${[...known].sort().join(", ")}`;
    yield {
      ...fieldError.notFound(path, name),
      detail: `must be one of the names in pod.spec.resourceClaims${listed}`,
    };
  }
}

/** Resources of the pod as a whole: at least what its containers request, at most what each may use. */
export function* checkPodResources(field: string, spec: PodSpec): Findings {
  const { resources } = spec;
  if (resources === undefined) return;
  if (resources.claims) {
    yield fieldError.forbidden(`${field}.claims`, "claims cannot be set for Resources at pod-level");
  }
  yield* checkRequirements(field, resources, { claims: new Set(), checkName: checkPodResourceName });
  const { resources: _whole, overhead: _overhead, ...parts } = spec;
  for (const [name, requested] of Object.entries(podRequests({ spec: parts }))) {
    const whole = resources.requests?.[name] ?? "0";
    if (!["cpu", "memory"].includes(name) || compareQuantities(requested, whole) <= 0) continue;
    const message = `must be greater than or equal to aggregate container requests of ${requested}`;
    yield fieldError.invalid(`${field}.requests[${name}]`, whole, message);
  }
  for (const [index, container] of spec.containers.entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const whole = resources.limits?.[name];
      if (whole === undefined || compareQuantities(limit, whole) <= 0) continue;
      const path = `${field}.containers[${index}][${name}].limits`;
      yield fieldError.invalid(path, limit, `must be less than or equal to pod limits of ${whole}`);
    }
  }
}
