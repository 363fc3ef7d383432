import type { ResourceClaim } from "../generated/types/resource-v1.ts";
import type { ResourceAmounts } from "../kinds/pod-requests.ts";
import { addAmounts } from "./amounts.ts";
import { countName, type QuotaEvaluator } from "./evaluator.ts";

const place = { group: "resource.k8s.io", plural: "resourceclaims" };
const classSuffix = ".deviceclass.resource.k8s.io/devices";
/** So many devices a claim can be given at most. */
const mostDevices = 32;

interface Asked {
  readonly deviceClassName: string;
  readonly allocationMode?: string | undefined;
  readonly count?: number | undefined;
}

/** Claims of devices: how many, and how many devices of each class they may be given. */
export const resourceClaimQuota: QuotaEvaluator<ResourceClaim> = {
  ...place,
  counts: (name) => name === countName(place) || name.endsWith(classSuffix),
  usage({ spec }) {
    let used: ResourceAmounts = { [countName(place)]: "1" };
    for (const { exactly, firstAvailable } of spec.devices?.requests ?? []) {
      used = addAmounts(used, largestByClass(firstAvailable ?? (exactly === undefined ? [] : [exactly])));
    }
    return used;
  },
  inScope: () => false,
  handles: ({ operation, subresource }) =>
    (operation === "CREATE" || operation === "UPDATE") && subresource === undefined,
};

/** Only one of several alternatives is taken: of each class as many devices as the largest asks for. */
function largestByClass(alternatives: readonly Asked[]): ResourceAmounts {
  const most = new Map<string, number>();
  for (const { deviceClassName, allocationMode = "ExactCount", count = 1 } of alternatives) {
    const devices = allocationMode === "All" ? mostDevices : count;
    most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, devices));
  }
  return Object.fromEntries([...most].map(([name, devices]) => [name + classSuffix, String(devices)]));
}
