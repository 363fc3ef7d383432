import type { ResourceClaim } from "../generated/types/resource-v1.ts";
import type { ResourceAmounts } from "../kinds/pod-requests.ts";
import {
  classesByResource,
  extendedResourceClaimAnnotation,
  ownDeviceResource,
} from "../kinds/resource-v1/device-resources.ts";
import { compareQuantities } from "../quantity.ts";
import { addAmounts, excessAmounts } from "./amounts.ts";
import { countName, type QuotaEvaluator, type QuotaSources } from "./evaluator.ts";
import { podQuota } from "./pod-quota.ts";

const place = { group: "resource.k8s.io", plural: "resourceclaims" };
const classSuffix = ".deviceclass.resource.k8s.io/devices";
const requests = "requests.";
/** So many devices a claim can be given at most. */
const mostDevices = 32;

interface Asked {
  readonly deviceClassName: string;
  readonly allocationMode?: string | undefined;
  readonly count?: number | undefined;
}

/**
 * Claims of devices: how many, and how many devices of each class they may be given. These count as the resources that the class is,
 * too, less what the pod counts for already for which a claim was made.
 */
export const resourceClaimQuota = (sources: QuotaSources): QuotaEvaluator<ResourceClaim> => ({
  ...place,
  dependsOnOthers: true,
  counts(name) {
    if (name === countName(place) || name.endsWith(classSuffix)) return true;
    if (!name.startsWith(requests)) return false;
    const found = classesByResource(sources.deviceClasses()).get(name.slice(requests.length));
    return found?.spec.extendedResourceName !== undefined;
  },
  usage(claim, nowMs) {
    let used: ResourceAmounts = { [countName(place)]: "1" };
    for (const { exactly, firstAvailable } of claim.spec.devices?.requests ?? []) {
      used = addAmounts(used, largestByClass(firstAvailable ?? (exactly === undefined ? [] : [exactly])));
    }
    return { ...used, ...asResources(used, podUsage(claim, nowMs, sources), sources) };
  },
  inScope: () => false,
  handles: ({ operation, subresource }) =>
    (operation === "CREATE" || operation === "UPDATE") && subresource === undefined,
});

/** What the devices of classes count for as the resources that the classes are. */
function asResources(
  used: ResourceAmounts,
  counted: ResourceAmounts,
  { deviceClasses }: QuotaSources,
): ResourceAmounts {
  const classes = new Map([...deviceClasses()].map((one) => [one.metadata.name, one]));
  const all = Object.entries(used).flatMap(([name, amount]) => {
    if (!name.endsWith(classSuffix)) return [];
    const className = name.slice(0, -classSuffix.length);
    const named = classes.get(className)?.spec.extendedResourceName;
    const names = [ownDeviceResource(className), ...(named === undefined ? [] : [named])];
    return names.map((resource) => [`${requests}${resource}`, amount] as const);
  });
  const left = Object.entries(excessAmounts(Object.fromEntries(all), counted));
  return Object.fromEntries(left.filter(([, amount]) => compareQuantities(amount, "0") > 0));
}

/** What the pod counts for whose resources the claim is for; nothing where it is not the pod's one claim of that sort. */
function podUsage({ metadata }: ResourceClaim, nowMs: number, sources: QuotaSources): ResourceAmounts {
  const { namespace, name } = metadata;
  const owner = specialOwner(metadata);
  if (owner === undefined || !namespace) return {};
  const pod = sources.pod({ namespace, name: owner.name });
  if (pod === undefined || pod.metadata.uid !== owner.uid) return {};
  const told = pod.status?.extendedResourceClaimStatus;
  if (told !== undefined && told.resourceClaimName !== name) return {};
  const isEarlier = (other: ResourceClaim["metadata"]) =>
    specialOwner(other)?.uid === owner.uid && ageOrder(other) < ageOrder(metadata);
  if (told === undefined && [...sources.resourceClaims(namespace)].some((other) => isEarlier(other.metadata)))
    return {};
  return podQuota.usage(pod, nowMs);
}

const specialOwner = ({ annotations, ownerReferences = [] }: ResourceClaim["metadata"]) =>
  annotations?.[extendedResourceClaimAnnotation] === "true"
    ? ownerReferences.find((one) => one.controller === true && one.kind === "Pod" && one.apiVersion === "v1")
    : undefined;

/** Times of one form, then names, compare as texts. */
const ageOrder = ({ creationTimestamp, name }: ResourceClaim["metadata"]): string => `${creationTimestamp} ${name}`;

/** Only one of several alternatives is taken: of each class as many devices as the largest asks for. */
function largestByClass(alternatives: readonly Asked[]): ResourceAmounts {
  const most = new Map<string, number>();
  for (const { deviceClassName, allocationMode = "ExactCount", count = 1 } of alternatives) {
    const devices = allocationMode === "All" ? mostDevices : count;
    most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, devices));
  }
  return Object.fromEntries([...most].map(([name, devices]) => [name + classSuffix, String(devices)]));
}
