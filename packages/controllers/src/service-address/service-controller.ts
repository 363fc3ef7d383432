import { type IPAddress, IPAddresses, isNotFound, type Service, ServiceCIDRs, Services } from "@skiff/api";
import { contains, parseAddress, parseRange } from "@skiff/base";
import {
  againIn,
  type Caches,
  defineController,
  done,
  type Loop,
  type ReconcileContext,
  watching,
} from "@skiff/control-loop";
import { addressesOf, addressFor, type Fault, familyOf, faultOf } from "./plan.ts";

/** The cache of the one kind may be behind that of the other. */
export const settleMs = 5_000;
const servicesByAddress = "cluster IP";
/** The cluster's own range. */
const ownRange = "kubernetes";

/**
 * Sees to it that each Service's addresses are told by IPAddress objects: somebody may have deleted or changed one.
 * https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
 */
export function serviceAddressController(): Loop {
  /** Since when something has been wrong, by Service. */
  const faultySince = new Map<string, number>();
  return defineController<Service>({
    name: "service-address",
    component: "ipallocator-repair-controller",
    for: Services,
    reads: [ServiceCIDRs],
    watches: [
      watching(IPAddresses, ({ metadata }, { cached }) => {
        const services = cached(Services);
        services.addIndex(servicesByAddress, addressesOf);
        return services.byIndex(servicesByAddress, metadata.name).map((service) => service.metadata);
      }),
    ],
    async reconcile(service, context) {
      const key = `${service.metadata.namespace}/${service.metadata.name}`;
      const faults = addressesOf(service).flatMap((address) => faultsOf(service, address, context));
      if (faults.length === 0) {
        faultySince.delete(key);
        return done;
      }
      const nowMs = context.clock.monotonic();
      const sinceMs = faultySince.get(key) ?? nowMs;
      faultySince.set(key, sinceMs);
      const leftMs = sinceMs + settleMs - nowMs;
      if (leftMs > 0) return againIn(leftMs);
      for (const { address, fault } of faults) await repair(service, address, fault, context);
      faultySince.delete(key);
      return done;
    },
    async gone({ namespace, name }) {
      faultySince.delete(`${namespace}/${name}`);
      return done;
    },
  });
}

function faultsOf(
  service: Service,
  address: string,
  { cached }: Caches,
): readonly { readonly address: string; readonly fault: Fault | "out of range" }[] {
  if (isOutOfRange(address, { cached })) return [{ address, fault: "out of range" }];
  const fault = faultOf(service, address, cached(IPAddresses).get(address), (namespace, name) =>
    cached(Services).get(name, namespace),
  );
  return fault.kind === "none" ? [] : [{ address, fault }];
}

function isOutOfRange(address: string, { cached }: Pick<Caches, "cached">): boolean {
  const ranges = cached(ServiceCIDRs);
  const parsed = parseAddress(address);
  // A server that is starting has not told of its own yet.
  if (ranges.get(ownRange) === undefined || parsed === undefined) return false;
  const cidrs = ranges.list().flatMap(({ spec }) => spec?.cidrs ?? []);
  return !cidrs.some((cidr) => {
    const range = parseRange(cidr);
    return range !== undefined && contains(range, parsed);
  });
}

async function repair(
  service: Service,
  address: string,
  fault: Fault | "out of range",
  context: ReconcileContext,
): Promise<void> {
  const family = familyOf(address);
  const { namespace, name } = service.metadata;
  const tell = (reason: string, message: string) =>
    context.recorder.record(Services, service, { type: "Warning", reason, message });
  if (fault === "out of range") {
    const why = "is not within any configured Service CIDR; please recreate service";
    return tell("ClusterIPOutOfRange", `Cluster IP [${family}]: ${address} ${why}`);
  }
  switch (fault.kind) {
    case "shared": {
      const why = "was assigned to multiple services; please recreate service";
      return tell("ClusterIPAlreadyAllocated", `Cluster IP [${family}]:${address} ${why}`);
    }
    case "missing":
      tell("ClusterIPNotAllocated", `Cluster IP [${family}]: ${address} is not allocated; repairing`);
      break;
    case "wrong reference": {
      const whose = `for Service ${namespace}/${name} has a wrong reference; repairing`;
      tell("ClusterIPNotAllocated", `the ClusterIP [${family}]: ${address} ${whose}`);
      break;
    }
    case "wrong labels":
    case "none":
      break;
  }
  const { client, cached, signal } = context;
  const old = cached(IPAddresses).get(address);
  if (old !== undefined) await removeAddress(old, context);
  await client.create(IPAddresses, addressFor(address, service), { signal });
}

/** Deletes the very object that was looked at. */
export async function removeAddress(
  { metadata: { name, uid } }: IPAddress,
  { client, signal }: Pick<ReconcileContext, "client" | "signal">,
): Promise<void> {
  await client.delete(IPAddresses, { name }, { preconditions: { uid }, signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
