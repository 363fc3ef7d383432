import { type DeviceAttribute, type DeviceCapacity, parseQuantity } from "@skiff/api";
import { quantityValue } from "../library/kubernetes/quantity.ts";
import { semverValue } from "../library/kubernetes/semver.ts";
import type { CelMap, CelValue } from "../values/cel-value.ts";
import { listOf, mapOf } from "../values/collections.ts";
import { lazyObject } from "../values/lazy-object.ts";

/** What selectors can ask of a device. */
export interface DeviceFacts {
  readonly driver: string;
  readonly attributes?: Readonly<Record<string, DeviceAttribute>> | undefined;
  readonly capacity?: Readonly<Record<string, DeviceCapacity>> | undefined;
  readonly allowMultipleAllocations?: boolean | undefined;
}

const none = mapOf({});

/** Values by domain, then by name: those without a domain are the driver's. A domain that nobody speaks of is empty. */
function byDomain<T>(driver: string, named: Readonly<Record<string, T>>, read: (one: T) => CelValue): CelMap {
  const domains = new Map<string, Record<string, CelValue>>();
  for (const [key, one] of Object.entries(named)) {
    const at = key.indexOf("/");
    const [domain, name] = at === -1 ? [driver, key] : [key.slice(0, at), key.slice(at + 1)];
    domains.set(domain, { ...domains.get(domain), [name]: read(one) });
  }
  const maps = new Map([...domains].map(([domain, values]) => [domain, mapOf(values)] as const));
  return {
    kind: "map",
    size: maps.size,
    get: (key) => (typeof key === "string" ? (maps.get(key) ?? none) : undefined),
    keys: () => maps.keys(),
  };
}

function attributeValue(attribute: DeviceAttribute): CelValue {
  if (attribute.string !== undefined) return attribute.string;
  if (attribute.bool !== undefined) return attribute.bool;
  if (attribute.int !== undefined) return BigInt(attribute.int);
  if (attribute.version !== undefined) return semverValue(attribute.version);
  return listOf([]);
}

/** A device as the variable `device` of selectors. */
export function deviceValue({ driver, attributes, capacity, allowMultipleAllocations }: DeviceFacts): CelValue {
  return lazyObject(
    "kubernetes.DRADevice",
    new Map<string, () => CelValue>([
      ["driver", () => driver],
      ["attributes", () => byDomain(driver, attributes ?? {}, attributeValue)],
      ["capacity", () => byDomain(driver, capacity ?? {}, ({ value }) => quantityValue(parseQuantity(value)))],
      ["allowMultipleAllocations", () => allowMultipleAllocations === true],
    ]),
  );
}
