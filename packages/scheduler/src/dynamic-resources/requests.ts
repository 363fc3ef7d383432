import type { CapacityRequirements, DeviceRequest, DeviceSelector, DeviceToleration } from "@skiff/api";

/** One way to satisfy a request: the request itself, or one of its alternatives. */
export interface Want {
  /** As it stands in the result: `gpu`, or `gpu/large` for an alternative. */
  readonly name: string;
  /** That of the request. */
  readonly requestName: string;
  readonly className: string;
  readonly selectors: readonly DeviceSelector[];
  readonly tolerations: readonly DeviceToleration[];
  /** `all`: every device that matches. */
  readonly count: number | "all";
  readonly adminAccess: boolean;
  readonly capacity: CapacityRequirements | undefined;
}

interface Wanted {
  readonly deviceClassName: string;
  readonly selectors?: DeviceSelector[] | undefined;
  readonly tolerations?: DeviceToleration[] | undefined;
  readonly allocationMode?: string | undefined;
  readonly count?: number | undefined;
  readonly capacity?: CapacityRequirements | undefined;
  readonly adminAccess?: boolean | undefined;
}

const wantOf = (name: string, requestName: string, wanted: Wanted): Want => ({
  name,
  requestName,
  className: wanted.deviceClassName,
  selectors: wanted.selectors ?? [],
  tolerations: wanted.tolerations ?? [],
  count: wanted.allocationMode === "All" ? "all" : (wanted.count ?? 1),
  adminAccess: wanted.adminAccess === true,
  capacity: wanted.capacity,
});

/** The ways to satisfy a request, the best first. */
export const waysOf = ({ name, exactly, firstAvailable = [] }: DeviceRequest): readonly Want[] =>
  exactly === undefined
    ? firstAvailable.map((one) => wantOf(`${name}/${one.name}`, name, one))
    : [wantOf(name, name, exactly)];
