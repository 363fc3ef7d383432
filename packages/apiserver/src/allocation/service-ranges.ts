import { type ServiceCIDR, ServiceCIDRs } from "@skiff/api";
import type { ResourceTable } from "../contracts.ts";
import { usableAddresses } from "./ipv4.ts";
import type { NumberRange } from "./number-pool.ts";

/** Sizes of the lower parts of ranges, as Kubernetes computes them. */
export const band = (
  size: number,
  bounds: { readonly least: number; readonly most: number; readonly share: number },
): number =>
  size <= bounds.least ? 0 : Math.min(bounds.most, Math.max(bounds.least, Math.floor(size / bounds.share)));

/** A network of IPv4 that Services get addresses of. */
export interface AddressRange extends NumberRange {
  readonly cidr: string;
}

/**
 * The networks that Services get addresses of now: the cluster's own and those of ServiceCIDRs, as far as they are ready and
 * stay. They may overlap.
 */
export class ServiceRanges {
  readonly #table: ResourceTable;
  readonly #own: string;
  #revision = -1;
  #ranges: readonly AddressRange[];

  constructor(table: ResourceTable, own: string) {
    this.#table = table;
    this.#own = own;
    const range = rangeOf(own);
    if (range === undefined) throw new Error(`not an IPv4 network for Services: ${own}`);
    this.#ranges = [range];
  }

  get all(): readonly AddressRange[] {
    if (this.#table.find(ServiceCIDRs) === undefined) return this.#ranges;
    const stored = this.#table.of(ServiceCIDRs);
    if (stored.lastRevision === this.#revision) return this.#ranges;
    this.#revision = stored.lastRevision;
    this.#ranges = this.#read(stored.peekAll());
    return this.#ranges;
  }

  #read(objects: readonly ServiceCIDR[]): readonly AddressRange[] {
    // The cluster's own is there before its object is.
    const isNamed = objects.some(({ spec }) => spec?.cidrs?.includes(this.#own));
    const ready = objects.filter(isReady).flatMap(({ spec }) => spec?.cidrs ?? []);
    const cidrs = new Set([...(isNamed && !ready.includes(this.#own) ? [] : [this.#own]), ...ready]);
    return [...cidrs].flatMap((cidr) => rangeOf(cidr) ?? []);
  }
}

/** Where nobody has said anything yet, a range may be used: the controller may be away. */
const isReady = ({ metadata, status }: ServiceCIDR): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "True") === "True";

/** `undefined` for networks of IPv6, and for those too small to have an address to give. */
function rangeOf(cidr: string): AddressRange | undefined {
  const addresses = usableAddresses(cidr);
  if (addresses === undefined) return undefined;
  const { first, last } = addresses;
  return { cidr, first, last, staticBand: band(last - first + 1, { least: 16, most: 256, share: 16 }) };
}
