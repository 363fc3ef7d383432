import { type DynamicResourceClaim, ResourceClaims } from "@skiff/api";
import type { BindContext } from "../framework.ts";

/** So long devices may take to be ready for a node. */
const bindTimeoutMs = 600_000;

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

/** Resolves when all devices of the claim are ready. Throws when one cannot be made so, or not in time. */
export async function whenDevicesReady(claim: DynamicResourceClaim, context: BindContext): Promise<void> {
  if (readinessOf(claim).kind === "ready") return;
  const { clock, cluster, signal } = context;
  const { namespace, name, uid } = claim.metadata;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (now: DynamicResourceClaim) => {
    const said = readinessOf(now);
    if (said.kind === "ready") resolve();
    else if (said.kind === "failed")
      reject(new Error(`claim ${namespace}/${name}: device ${said.device} has failed binding: ${said.condition}`));
  };
  using _ = cluster.informer(ResourceClaims).onChange(({ kind, object }) => {
    if (object.metadata.uid !== uid) return;
    if (kind === "deleted" || object.status?.allocation === undefined)
      reject(new Error(`claim ${namespace}/${name} lost its devices in the meantime`));
    else look(object);
  });
  const done = new AbortController();
  const tooLate = clock.sleep(bindTimeoutMs, AbortSignal.any([signal, done.signal])).then(() => {
    throw new Error(`device binding timeout for claim ${namespace}/${name}`);
  });
  tooLate.catch(() => {});
  try {
    await Promise.race([promise, tooLate]);
  } finally {
    done.abort();
  }
}
