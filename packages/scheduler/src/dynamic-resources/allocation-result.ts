import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceClass,
  DynamicResourceClaim,
  NodeSelector,
} from "@skiff/api";
import type { Allotment } from "./allocate.ts";

/** Where devices of a claim can be used from. `undefined`: from everywhere. */
export function nodeSelectorOf(allotments: readonly Allotment[], nodeName: string): NodeSelector | undefined {
  const selectors: NodeSelector[] = [];
  for (const { device, slice } of allotments.map((one) => one.device)) {
    const of = slice.spec.perDeviceNodeSelection === true ? device : slice.spec;
    if (of.nodeName)
      return {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] }],
      };
    if (of.nodeSelector !== undefined) selectors.push(of.nodeSelector);
  }
  if (selectors.length === 0) return undefined;
  // All of them have to match. Each has one term: the API server sees to it.
  const terms = selectors.flatMap((one) => one.nodeSelectorTerms.slice(0, 1));
  const unique = <T>(list: readonly T[]): T[] => [...new Map(list.map((one) => [JSON.stringify(one), one])).values()];
  const matchExpressions = unique(terms.flatMap((term) => term.matchExpressions ?? []));
  const matchFields = unique(terms.flatMap((term) => term.matchFields ?? []));
  return {
    nodeSelectorTerms: [
      {
        ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
        ...(matchFields.length === 0 ? {} : { matchFields }),
      },
    ],
  };
}

/** What is written into a claim that gets these devices. */
export function allocationResult(
  claim: DynamicResourceClaim,
  allotments: readonly Allotment[],
  on: {
    readonly nodeName: string;
    readonly classOf: (name: string) => DeviceClass | undefined;
    readonly shareId: () => string;
  },
): AllocationResult {
  const results = allotments.map(({ want, device: { driver, pool, device }, taken }) => ({
    request: want.name,
    driver,
    pool: pool.name,
    device: device.name,
    ...(want.adminAccess ? { adminAccess: true } : {}),
    ...(want.tolerations.length === 0 ? {} : { tolerations: [...want.tolerations] }),
    ...(device.bindingConditions === undefined ? {} : { bindingConditions: device.bindingConditions }),
    ...(device.bindingFailureConditions === undefined
      ? {}
      : { bindingFailureConditions: device.bindingFailureConditions }),
    ...(taken === undefined ? {} : { shareID: on.shareId(), consumedCapacity: taken }),
  }));
  const config = configOf(claim, allotments, on.classOf);
  const nodeSelector = nodeSelectorOf(allotments, on.nodeName);
  return {
    devices: { results, ...(config.length === 0 ? {} : { config }) },
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  };
}

/** The settings of classes, each once, then those of the claim that concern what was chosen. */
function configOf(
  claim: DynamicResourceClaim,
  allotments: readonly Allotment[],
  classOf: (name: string) => DeviceClass | undefined,
): DeviceAllocationConfiguration[] {
  const wants = [...new Map(allotments.map(({ want }) => [want.requestName, want])).values()];
  const all = claim.spec.devices?.requests?.length ?? 0;
  const narrowed = (requests: readonly string[]) =>
    requests.length === 0 || requests.length === all ? {} : { requests: [...requests] };
  const classes = [...new Set(wants.map(({ className }) => className))];
  const fromClasses = classes.flatMap((className) => {
    const requests = wants.filter((want) => want.className === className).map(({ name }) => name);
    return (classOf(className)?.spec.config ?? []).map((config) => ({
      source: "FromClass",
      ...narrowed(requests),
      ...config,
    }));
  });
  const fromClaim = (claim.spec.devices?.config ?? []).flatMap(({ requests = [], ...config }) => {
    const concerns =
      requests.length === 0 ||
      wants.some(({ name, requestName }) => requests.includes(name) || requests.includes(requestName));
    return concerns ? [{ source: "FromClaim", ...narrowed(requests), ...config }] : [];
  });
  return [...fromClasses, ...fromClaim];
}
