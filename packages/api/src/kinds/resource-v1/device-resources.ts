/**
 * Devices that pods ask for by the name of a resource, as if a device plugin had them: each class of devices is a resource, under a
 * name of its own and under the one that its spec says.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#extended-resource
 */
import type { DeviceClass } from "../../generated/types/resource-v1.ts";
import { isExtendedResource } from "../core-v1/resource-validation.ts";

const ownPrefix = "deviceclass.resource.kubernetes.io/";

/** Marks the claim that the scheduler makes for a pod that asks for devices in this way: `"true"`. */
export const extendedResourceClaimAnnotation = "resource.kubernetes.io/extended-resource-claim";

/** True for resources that a class of devices may stand behind, as in `example.com/gpu`. */
export const isDeviceResource = (name: string): boolean => isExtendedResource(name) || name.startsWith(ownPrefix);

/** The resource that a class always is, whatever its spec says: `deviceclass.resource.kubernetes.io/gpu`. */
export const ownDeviceResource = (className: string): string => `${ownPrefix}${className}`;

/** The class behind each resource. Of several that claim one name it is the newest, of equally new ones the first by name. */
export function classesByResource(classes: Iterable<DeviceClass>): ReadonlyMap<string, DeviceClass> {
  const found = new Map<string, DeviceClass>();
  for (const one of classes) {
    found.set(ownDeviceResource(one.metadata.name), one);
    const name = one.spec.extendedResourceName;
    if (name === undefined) continue;
    const other = found.get(name);
    if (other === undefined || comesBefore(one, other)) found.set(name, one);
  }
  return found;
}

function comesBefore({ metadata: a }: DeviceClass, { metadata: b }: DeviceClass): boolean {
  const newer = Date.parse(a.creationTimestamp) - Date.parse(b.creationTimestamp);
  return newer === 0 ? a.name < b.name : newer > 0;
}
