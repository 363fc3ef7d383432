import { IPAddresses, isNotFound, type ServiceCIDR, ServiceCIDRs } from "@skiff/api";
import { timestamp } from "@skiff/base";
import { againIn, defineController, done, type ReconcileContext, watching } from "@skiff/control-loop";
import { withFinalizer } from "../storage-protection/plan.ts";
import { isNeeded } from "./plan.ts";

const finalizer = "networking.k8s.io/service-cidr-finalizer";
/** Whoever gives addresses away has to hear of it first. */
const deletionGraceMs = 10_000;

const allRanges = (_: unknown, { cached }: Pick<ReconcileContext, "cached">) =>
  cached(ServiceCIDRs)
    .list()
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    .map(({ metadata }) => metadata);

/** Holds ranges of Service addresses for as long as addresses depend on them. https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/ */
export const serviceCidrController = defineController<ServiceCIDR>({
  name: "service-cidr",
  component: "service-cidrs-controller",
  for: ServiceCIDRs,
  watches: [watching(ServiceCIDRs, allRanges), watching(IPAddresses, allRanges)],
  async reconcile(range, context) {
    const { client, cached, clock, signal } = context;
    const { deletionTimestamp, finalizers = [] } = range.metadata;
    const isHeld = finalizers.includes(finalizer);
    if (deletionTimestamp === undefined) {
      const held = isHeld
        ? range
        : await client.update(ServiceCIDRs, withFinalizer(range, finalizer, true), { signal });
      if (condition(held)?.status !== "True") {
        await tell(held, { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" }, context);
      }
      return done;
    }
    if (!isHeld) return done;
    const addresses = cached(IPAddresses)
      .list()
      .map(({ metadata }) => metadata.name);
    if (isNeeded(range, cached(ServiceCIDRs).list(), addresses)) {
      const message =
        "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
      if (condition(range)?.status !== "False") {
        await tell(range, { status: "False", reason: "Terminating", message }, context);
      }
      return done;
    }
    const leftMs = Date.parse(deletionTimestamp) + deletionGraceMs - clock.now();
    if (leftMs > 0) return againIn(leftMs);
    await client.update(ServiceCIDRs, withFinalizer(range, finalizer, false), { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    return done;
  },
});

const condition = ({ status }: ServiceCIDR) => status?.conditions?.find(({ type }) => type === "Ready");

async function tell(
  range: ServiceCIDR,
  told: { readonly status: string; readonly reason: string; readonly message: string },
  { client, clock, signal }: ReconcileContext,
): Promise<void> {
  const others = (range.status?.conditions ?? []).filter(({ type }) => type !== "Ready");
  const ready = { type: "Ready", ...told, lastTransitionTime: timestamp(clock.now()) };
  await client.updateStatus(ServiceCIDRs, { ...range, status: { conditions: [...others, ready] } }, { signal });
}
