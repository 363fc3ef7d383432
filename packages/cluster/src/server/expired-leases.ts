import { isConflict, isNotFound, type Lease, Leases } from "@skiff/api";
import { type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { Client } from "@skiff/client";

const everyMs = 60 * 60_000;
/** What the Leases of API servers are found by. */
export const serverLeaseLabel = { "apiserver.kubernetes.io/identity": "kube-apiserver" };
const labelSelector = Object.entries(serverLeaseLabel)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");

/** Whether whoever held a Lease has gone: it was not renewed in its time, or does not say so. */
export function isExpired({ spec = {} }: Lease, nowMs: number): boolean {
  const { renewTime, leaseDurationSeconds } = spec;
  if (renewTime === undefined || leaseDurationSeconds === undefined) return true;
  return Date.parse(renewTime) + leaseDurationSeconds * 1000 < nowMs;
}

/** Until the signal is aborted, removes the Leases of API servers that are no more: now, and once an hour. */
export async function removeExpiredLeases(
  { client, clock, logger }: { readonly client: Client; readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { items } = await client.list(Leases, { namespace: "kube-system", labelSelector, signal });
      for (const lease of items.filter((item) => isExpired(item, clock.now()))) {
        const { name, namespace, uid, resourceVersion } = lease.metadata;
        // One that is renewed at this moment stays.
        const preconditions = { uid, resourceVersion };
        await client.delete(Leases, { name, namespace }, { preconditions, signal }).catch((error: unknown) => {
          if (!isNotFound(error) && !isConflict(error)) throw error;
        });
      }
    } catch (error) {
      if (isAbort(error, signal)) return;
      logger.warn(`leases of former servers were not removed: ${describeError(error)}`);
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
