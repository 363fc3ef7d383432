import { type DynamicResourceClaim, ResourceClaims } from "@skiff/api";
import type { BindContext } from "../framework.ts";

/** How far the devices of a claim are that have to be made ready before the pod may go to its node. */
export type Readiness =
  | { readonly kind: "ready" }
  | { readonly kind: "preparing" }
  | { readonly kind: "failed"; readonly device: string; readonly condition: string };

/** What the conditions say that drivers keep of devices. */
export function readinessOf({ status }: Pick<DynamicResourceClaim, "status">): Readiness {
  let preparing = false;
  for (const result of status?.allocation?.devices?.results ?? []) {
    const { bindingConditions = [], bindingFailureConditions = [], driver, pool, device } = result;
    if (bindingConditions.length === 0) continue;
    const told = status?.devices?.find(
      (one) => one.driver === driver && one.pool === pool && one.device === device && one.shareID === result.shareID,
    );
    const isTrue = (type: string) =>
      told?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
    const failed = bindingFailureConditions.find(isTrue);
    if (failed !== undefined) return { kind: "failed", device: `${driver}/${pool}/${device}`, condition: failed };
    if (!bindingConditions.every(isTrue)) preparing = true;
  }
  return preparing ? { kind: "preparing" } : { kind: "ready" };
}

/** Resolves when all devices of the claim are ready. Throws when one cannot be made so, or not in time since it was given. */
export async function whenDevicesReady(
  claim: DynamicResourceClaim,
  context: Omit<BindContext, "client"> & { readonly bindingTimeoutMs: number },
): Promise<void> {
  if (readinessOf(claim).kind === "ready") return;
  const { clock, cluster, signal, bindingTimeoutMs } = context;
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (now: DynamicResourceClaim) => {
    const said = readinessOf(now);
    if (said.kind === "ready") resolve();
    else if (said.kind === "failed")
      reject(new Error(`claim ${namespace}/${name}: device ${said.device} has failed binding: ${said.condition}`));
  };
  using _ = cluster.informer(ResourceClaims).onChange(({ kind, object }) => {
    if (object.metadata.uid !== uid) return;
    // Not yet what was written.
    if (Number(object.metadata.resourceVersion) < Number(resourceVersion)) return;
    if (kind === "deleted" || object.status?.allocation === undefined)
      reject(new Error(`claim ${namespace}/${name} lost its devices in the meantime`));
    else look(object);
  });
  const done = new AbortController();
  const given = Date.parse(claim.status?.allocation?.allocationTimestamp ?? "") || clock.now();
  const leftMs = Math.max(0, given + bindingTimeoutMs - clock.now());
  const tooLate = clock.sleep(leftMs, AbortSignal.any([signal, done.signal])).then(() => {
    throw new Error(`device binding timeout for claim ${namespace}/${name}`);
  });
  tooLate.catch(() => {});
  try {
    await Promise.race([promise, tooLate]);
  } finally {
    done.abort();
  }
}
