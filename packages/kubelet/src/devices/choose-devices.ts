import type { NumaSet } from "../topology/numa.ts";
import type { DeviceTable } from "./device-table.ts";

/** What is to be given to a container, and from what. */
export interface DeviceWish {
  readonly resource: string;
  readonly count: number;
  /** What it has of the resource already (the kubelet was restarted meanwhile). */
  readonly held: readonly string[];
  /** Given to init containers of the pod, which have ended by then. */
  readonly reusable: readonly string[];
  /** Given to any container of the node. */
  readonly taken: ReadonlySet<string>;
  /** Where all resources of the container are best taken from. */
  readonly affinity?: NumaSet;
}

/** Which devices a container gets. */
export type DeviceChoice =
  /** It has them. */
  | { readonly kind: "held" }
  | { readonly kind: "impossible"; readonly message: string }
  /** There is a choice: `from` in this order, `chosen` whatever happens. The plugin may prefer some of them. */
  | {
      readonly kind: "choose";
      readonly chosen: readonly string[];
      readonly from: readonly string[];
      readonly count: number;
    };

const impossible = (message: string): DeviceChoice => ({ kind: "impossible", message });

/** Decides about one resource of one container: what was its own or its pod's first, then what is near. */
export function chooseDevices(table: DeviceTable, wish: DeviceWish): DeviceChoice {
  const { resource, held, count } = wish;
  const healthy = table.healthy(resource);
  const missing = count - held.length;
  if (held.length > 0 && missing !== 0) {
    return impossible(`pod changed request for resource ${JSON.stringify(resource)} from ${held.length} to ${count}`);
  }
  if (!table.has(resource)) return impossible(`cannot allocate unregistered device ${resource}`);
  if (healthy.length === 0)
    return impossible(`no healthy devices present; cannot allocate unhealthy devices ${resource}`);
  if (!held.every((id) => healthy.includes(id)))
    return impossible(
      `previously allocated devices are no longer healthy; cannot allocate unhealthy devices ${resource}`,
    );
  if (missing === 0) return { kind: "held" };
  const chosen = wish.reusable.filter((id) => healthy.includes(id)).slice(0, missing);
  const free = healthy.filter((id) => !wish.taken.has(id) && !chosen.includes(id));
  const left = missing - chosen.length;
  if (free.length < left) {
    return impossible(
      `requested number of devices unavailable for ${resource}. Requested: ${left}, Available: ${free.length}`,
    );
  }
  return { kind: "choose", ...nearFirst(table, { ...wish, count: missing, chosen }, free) };
}

/** Where the topology matters: all of what is near if that is not enough, else only what is near to choose from. */
function nearFirst(
  table: DeviceTable,
  { resource, affinity, count, chosen }: DeviceWish & { readonly chosen: readonly string[] },
  free: readonly string[],
): { readonly chosen: readonly string[]; readonly from: readonly string[]; readonly count: number } {
  if (affinity === undefined) return { chosen, from: free, count };
  const near: string[] = [];
  const untold: string[] = [];
  const far: string[] = [];
  for (const id of free) {
    const numa = table.numaOf(resource, id);
    (numa === 0 ? untold : (numa & affinity) !== 0 ? near : far).push(id);
  }
  let [sure, left] = [[...chosen], count - chosen.length];
  for (const group of [near, untold, far]) {
    if (group.length >= left) return { chosen: sure, from: group, count };
    sure = [...sure, ...group];
    left -= group.length;
  }
  return { chosen: sure, from: [], count };
}
