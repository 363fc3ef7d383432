import type { DynamicResourceClaim, Pod } from "@skiff/api";

/** The claims of a pod, or why it has to wait for them. */
export type PodClaims =
  | { readonly kind: "claims"; readonly claims: readonly DynamicResourceClaim[] }
  | { readonly kind: "waiting"; readonly reason: string };

const waiting = (reason: string): PodClaims => ({ kind: "waiting", reason });

/** Finds the claims that a pod refers to, and those that were made for it. */
export function podClaims(
  pod: Pod,
  claimOf: (name: string, namespace: string) => DynamicResourceClaim | undefined,
): PodClaims {
  const { name: podName, namespace, uid } = pod.metadata;
  const who = `pod "${namespace}/${podName}"`;
  const claims: DynamicResourceClaim[] = [];
  for (const { name, resourceClaimName, resourceClaimTemplateName } of pod.spec.resourceClaims ?? []) {
    let claimName = resourceClaimName;
    if (!claimName) {
      if (!resourceClaimTemplateName)
        return waiting(`${who}, spec.resourceClaim ${JSON.stringify(name)}: none of the supported fields are set`);
      const status = pod.status?.resourceClaimStatuses?.find((one) => one.name === name);
      if (status === undefined) return waiting(`${who}: ResourceClaim not created yet`);
      // None was needed.
      if (!status.resourceClaimName) continue;
      claimName = status.resourceClaimName;
    }
    const claim = claimOf(claimName, namespace);
    if (claim === undefined) return waiting(`resourceclaim.resource.k8s.io ${JSON.stringify(claimName)} not found`);
    if (claim.metadata.deletionTimestamp !== undefined)
      return waiting(`resourceclaim ${JSON.stringify(claimName)} is being deleted`);
    const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (!resourceClaimName && owner?.uid !== uid)
      return waiting(
        `ResourceClaim ${namespace}/${claimName} was not created for pod ${namespace}/${podName} (pod is not owner)`,
      );
    claims.push(claim);
  }
  return { kind: "claims", claims };
}

/** The API server takes no more users of a claim. */
const mostReservations = 256;

export const isReservedFor = ({ status }: DynamicResourceClaim, pod: Pod): boolean =>
  status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid) === true;

export const canBeReserved = ({ status }: DynamicResourceClaim): boolean =>
  (status?.reservedFor?.length ?? 0) < mostReservations;
