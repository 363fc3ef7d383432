import { type IPAddress, IPAddresses, isNotFound, type Service, Services } from "@skiff/api";
import { againIn, defineController, done, type Outcome, type ReconcileContext, watching } from "@skiff/control-loop";
import { addressesOf, isForServices, refersToService } from "./plan.ts";
import { removeAddress, settleMs } from "./service-controller.ts";

/** So long the Service of an address may be on its way. */
const graceMs = 60_000;
const addressesByService = "parent Service";

/** Removes the objects of addresses that no Service has (any more). */
export const addressOwnerController = defineController<IPAddress>({
  name: "address-owner",
  component: "ipallocator-repair-controller",
  for: IPAddresses,
  concerns: isForServices,
  watches: [
    watching(Services, ({ metadata }, { cached }) => {
      const addresses = cached(IPAddresses);
      addresses.addIndex(addressesByService, ({ spec }) => [`${spec?.parentRef?.namespace}/${spec?.parentRef?.name}`]);
      return addresses.byIndex(addressesByService, `${metadata.namespace}/${metadata.name}`).map((one) => one.metadata);
    }),
  ],
  async reconcile(address, context) {
    if (!isForServices(address)) return done;
    if (!refersToService(address)) {
      const { group = "", resource = "", namespace = "", name = "" } = address.spec?.parentRef ?? {};
      const parent = `&ParentReference{Group:${group},Resource:${resource},Namespace:${namespace},Name:${name},}`;
      const why = `appears to have been modified, not referencing a Service ${parent}: cleaning up`;
      return await remove(address, "IPAddressNotAllocated", `IPAddress ${address.metadata.name} ${why}`, context);
    }
    const { namespace = "", name = "" } = address.spec?.parentRef ?? {};
    const whose = `IPAddress: ${address.metadata.name} for Service ${namespace}/${name}`;
    const service = context.cached(Services).get(name, namespace);
    if (service !== undefined && addressesOf(service).includes(address.metadata.name)) return done;
    const ageMs = context.clock.now() - Date.parse(address.metadata.creationTimestamp);
    const waitMs = (service === undefined ? graceMs : settleMs) - ageMs;
    if (waitMs > 0) return againIn(waitMs);
    // The cache may be behind: what is deleted here may just have come into use.
    const newest = await newestService({ namespace, name }, context);
    if (newest !== undefined && addressesOf(newest).includes(address.metadata.name)) return done;
    if (newest === undefined) {
      const message = `${whose} appears to have leaked: cleaning up`;
      return await remove(address, "IPAddressNotAllocated", message, context);
    }
    return await remove(address, "IPAddressWrongReference", `${whose} has a wrong reference; cleaning up`, context);
  },
});

async function newestService(
  ref: { readonly namespace: string; readonly name: string },
  { client, signal }: ReconcileContext,
): Promise<Service | undefined> {
  return await client.get(Services, ref, { signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });
}

async function remove(
  address: IPAddress,
  reason: string,
  message: string,
  context: ReconcileContext,
): Promise<Outcome> {
  context.recorder.record(IPAddresses, address, { type: "Warning", reason, message });
  await removeAddress(address, context);
  return done;
}
