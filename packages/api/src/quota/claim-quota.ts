import { jsonEqual } from "@skiff/base";
import type { PersistentVolumeClaim } from "../generated/types/core-v1.ts";
import { asUnits, compareQuantities, parseQuantity } from "../quantity.ts";
import { type QuotaEvaluator, scopeMatches } from "./evaluator.ts";

const counted: ReadonlySet<string> = new Set([
  "persistentvolumeclaims",
  "requests.storage",
  "count/persistentvolumeclaims",
]);
const classSuffix = ".storageclass.storage.k8s.io/";
const oldClassAnnotation = "volume.beta.kubernetes.io/storage-class";

/** Claims of storage: how many and how much, all together and by storage class. */
export const claimQuota: QuotaEvaluator<PersistentVolumeClaim> = {
  group: "",
  plural: "persistentvolumeclaims",
  counts: (name) =>
    counted.has(name) ||
    name.endsWith(`${classSuffix}persistentvolumeclaims`) ||
    name.endsWith(`${classSuffix}requests.storage`),
  usage(claim) {
    const { metadata, spec } = claim;
    const storageClass = metadata.annotations?.[oldClassAnnotation] ?? spec?.storageClassName ?? "";
    const storage = storageOf(claim);
    const byClass = storageClass === "" ? undefined : `${storageClass}${classSuffix}`;
    return {
      persistentvolumeclaims: "1",
      "count/persistentvolumeclaims": "1",
      ...(byClass === undefined ? {} : { [`${byClass}persistentvolumeclaims`]: "1" }),
      ...(storage === undefined ? {} : { "requests.storage": storage }),
      ...(storage === undefined || byClass === undefined ? {} : { [`${byClass}requests.storage`]: storage }),
    };
  },
  inScope: (scope, claim) =>
    scope.scopeName === "VolumeAttributesClass" && scopeMatches(scope, attributesClasses(claim)),
  handles({ operation, subresource, object, oldObject }) {
    if (subresource === undefined) return operation === "CREATE" || operation === "UPDATE";
    if (subresource !== "status" || object === undefined || oldObject === undefined) return false;
    const [now, before] = [object.status?.allocatedResources?.storage, oldObject.status?.allocatedResources?.storage];
    return now !== before || !jsonEqual(attributesClasses(object), attributesClasses(oldObject));
  },
};

/** Whole bytes: what is asked for, or what is being made of it where that is more. */
function storageOf({ spec, status }: PersistentVolumeClaim): string | undefined {
  const asked = spec?.resources?.requests?.storage;
  const allocated = status?.allocatedResources?.storage;
  if (asked === undefined) return undefined;
  return wholeBytes(allocated !== undefined && compareQuantities(allocated, asked) > 0 ? allocated : asked);
}

const wholeBytes = (amount: string): string =>
  parseQuantity(amount).nanos % 1_000_000_000n === 0n ? amount : String(asUnits(amount));

function attributesClasses({ spec, status }: PersistentVolumeClaim): readonly string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.filter((name): name is string => !!name))].sort();
}
