import { isConflict, ServiceCIDRs } from "@skiff/api";
import { type Clock, timestamp } from "@skiff/base";
import type { Client } from "@skiff/client";

/** Of the cluster's own range of Service addresses. */
const name = "kubernetes";
const finalizer = "networking.k8s.io/service-cidr-finalizer";

/** Holds the cluster's range while Services have addresses of it, and says that it is ready. */
export async function holdServiceCidr(client: Client, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    let found = await client.get(ServiceCIDRs, { name }, { signal });
    const { finalizers = [] } = found.metadata;
    if (!finalizers.includes(finalizer)) {
      const metadata = { ...found.metadata, finalizers: [...finalizers, finalizer] };
      found = await client.update(ServiceCIDRs, { ...found, metadata }, { signal });
    }
    const conditions = found.status?.conditions ?? [];
    if (conditions.some(({ type, status }) => type === "Ready" && status === "True")) return;
    const ready = {
      type: "Ready",
      status: "True",
      lastTransitionTime: timestamp(clock.now()),
      reason: "",
      message: "Kubernetes default Service CIDR is ready",
    };
    const others = conditions.filter(({ type }) => type !== "Ready");
    await client.updateStatus(ServiceCIDRs, { ...found, status: { conditions: [...others, ready] } }, { signal });
  } catch (error) {
    // Another server does the same.
    if (!isConflict(error)) throw error;
  }
}
