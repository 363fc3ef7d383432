import type { Endpoint, EndpointSlice, EndpointSlicePort, New } from "@skiff/api";
import { jsonEqual } from "@skiff/base";

/** No slice holds more. */
export const endpointsPerSlice = 100;

export interface EndpointSlicesPlan {
  readonly create: readonly New<EndpointSlice>[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/** Endpoints that share their ports, and slices that hold such endpoints already. */
export interface Group {
  readonly addressType: string;
  readonly ports: readonly EndpointSlicePort[];
  /** By `identityOf`. */
  readonly endpoints: Map<string, Endpoint>;
}

/** What stays the same when an endpoint's conditions change: its pod, or its address where it has none. */
export const identityOf = ({ targetRef, addresses }: Endpoint): string => targetRef?.uid ?? addresses[0] ?? "";

/** Which slices have to change so that they hold the groups' endpoints, touching as few as possible. */
export function packGroups(
  groups: readonly Group[],
  slices: readonly EndpointSlice[],
  head: Pick<New<EndpointSlice>, "metadata">,
): EndpointSlicesPlan {
  const { labels = {} } = head.metadata;
  const create: New<EndpointSlice>[] = [];
  const update: EndpointSlice[] = [];
  const kept = new Set<EndpointSlice>();
  for (const group of groups) {
    const own = slices.filter(
      (slice) => slice.addressType === group.addressType && samePorts(slice.ports, group.ports),
    );
    for (const { slice, endpoints } of pack(group, own)) {
      if (slice === undefined) {
        create.push({ ...head, addressType: group.addressType, endpoints, ports: [...group.ports] });
        continue;
      }
      kept.add(slice);
      const same = jsonEqual(endpoints, slice.endpoints ?? []) && jsonEqual(labels, slice.metadata.labels ?? {});
      if (!same) update.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints });
    }
  }
  return reusing({ create, update, remove: slices.filter((slice) => !kept.has(slice)) });
}

/** A slice that is not needed any more becomes one that is: one write instead of two, and no moment without either. */
function reusing({ create, update, remove }: EndpointSlicesPlan): EndpointSlicesPlan {
  const unused = [...remove];
  const fresh: New<EndpointSlice>[] = [];
  const reused = create.flatMap((slice) => {
    const at = unused.findIndex(({ addressType }) => addressType === slice.addressType);
    const [old] = at < 0 ? [] : unused.splice(at, 1);
    if (old === undefined) fresh.push(slice);
    return old === undefined
      ? []
      : [{ ...old, ...slice, metadata: { ...old.metadata, labels: slice.metadata.labels } }];
  });
  return { create: fresh, update: [...update, ...reused], remove: unused };
}

interface Packed {
  readonly slice: EndpointSlice | undefined;
  readonly endpoints: Endpoint[];
}

/**
 * Endpoints stay in the slice that they are in; new ones fill slices that change anyway, then new slices; what does not fill
 * one goes to the fullest that has room for all of it.
 */
function pack(group: Group, slices: readonly EndpointSlice[]): readonly Packed[] {
  const left = new Map(group.endpoints);
  const packed: { slice: EndpointSlice | undefined; endpoints: Endpoint[]; changes: boolean }[] = slices.map(
    (slice) => {
      const before = slice.endpoints ?? [];
      const endpoints = before.flatMap((endpoint) => {
        const uid = identityOf(endpoint);
        const now = left.get(uid);
        left.delete(uid);
        return now === undefined ? [] : [now];
      });
      return { slice, endpoints, changes: !jsonEqual(before, endpoints) };
    },
  );
  const fresh = [...left.values()];
  for (const { endpoints } of packed.filter(({ changes }) => changes)) {
    endpoints.push(...fresh.splice(0, endpointsPerSlice - endpoints.length));
  }
  while (fresh.length > 0) {
    const roomy =
      fresh.length < endpointsPerSlice
        ? packed
            .filter(({ changes, endpoints }) => !changes && endpoints.length + fresh.length <= endpointsPerSlice)
            .sort((a, b) => b.endpoints.length - a.endpoints.length)[0]
        : undefined;
    if (roomy !== undefined) roomy.endpoints.push(...fresh.splice(0));
    else packed.push({ slice: undefined, endpoints: fresh.splice(0, endpointsPerSlice), changes: true });
  }
  const used = packed.filter(({ endpoints }) => endpoints.length > 0);
  if (used.length > 0) return used;
  return packed.length > 0 ? packed.slice(0, 1) : [{ slice: undefined, endpoints: [] }];
}

const samePorts = (a: readonly EndpointSlicePort[] | undefined, b: readonly EndpointSlicePort[]): boolean =>
  jsonEqual(a ?? [], b);
