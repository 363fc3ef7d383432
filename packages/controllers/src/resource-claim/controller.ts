import {
  type DynamicResourceClaim,
  isNotFound,
  type Pod,
  Pods,
  ResourceClaims,
  ResourceClaimTemplates,
} from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import { defineController, done, type Loop, type ReconcileContext, watching } from "@skiff/control-loop";
import { withFinalizer } from "../storage-protection/plan.ts";
import { claimFinalizer, claimFrom, isPodDone, mayReserve, placeOf, podClaimAnnotation, podOwner } from "./plan.ts";

const byOwner = "pod that it was made for";
const byTemplate = "template of its claims";

/** Makes the claims that pods' templates ask for. https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/ */
const podClaims = defineController<Pod>({
  name: "resource-claim",
  component: "resource_claim",
  for: Pods,
  concerns: ({ spec }) => (spec.resourceClaims ?? []).length > 0,
  watches: [
    watching(ResourceClaims, (claim) => {
      const owner = podOwner(claim);
      return owner === undefined ? [] : [{ namespace: claim.metadata.namespace, name: owner.name }];
    }),
    watching(ResourceClaimTemplates, ({ metadata: { namespace, name } }, { cached }) => {
      const pods = cached(Pods);
      pods.addIndex(byTemplate, ({ metadata, spec }) =>
        (spec.resourceClaims ?? []).map((claim) => `${metadata.namespace}/${claim.resourceClaimTemplateName}`),
      );
      return pods.byIndex(byTemplate, `${namespace}/${name}`).map(({ metadata }) => metadata);
    }),
  ],
  async reconcile(pod, context) {
    const { client, recorder, signal } = context;
    const claims = pod.spec.resourceClaims ?? [];
    if (claims.length === 0 || pod.metadata.deletionTimestamp !== undefined || isPodDone(pod)) return done;
    const made: { readonly name: string; readonly resourceClaimName: string }[] = [];
    for (const { name, ...claim } of claims) {
      try {
        const resourceClaimName = await claimOf(pod, { name, ...claim }, context);
        if (resourceClaimName !== undefined) made.push({ name, resourceClaimName });
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        const message = `PodResourceClaim ${name}: ${describeError(error)}`;
        recorder.record(Pods, pod, { type: "Warning", reason: "FailedResourceClaimCreation", message });
        throw error;
      }
    }
    if (made.length > 0) {
      const patch = { metadata: { uid: pod.metadata.uid }, status: { resourceClaimStatuses: made } };
      await client.patch(Pods, pod.metadata, patch, { type: "strategic", subresource: "status", signal });
      return done;
    }
    if (pod.spec.nodeName) await reserve(pod, context);
    return done;
  },
});

/** Makes the claim where there is none. Gives the name that the pod's status does not tell yet. */
async function claimOf(
  pod: Pod,
  podClaim: NonNullable<Pod["spec"]["resourceClaims"]>[number],
  { client, cached, signal }: ReconcileContext,
): Promise<string | undefined> {
  const { uid, namespace } = pod.metadata;
  const place = placeOf(pod, podClaim);
  const claims = cached(ResourceClaims);
  if (place.kind === "none" || (place.kind === "named" && !place.generated)) return undefined;
  if (place.kind === "named") {
    const known = claims.get(place.name, namespace);
    if (known !== undefined && podOwner(known)?.uid === uid) return undefined;
  }
  claims.addIndex(byOwner, (claim) => [podOwner(claim)?.uid ?? ""]);
  const orphan = claims
    .byIndex(byOwner, uid)
    .find(({ metadata }) => metadata.annotations?.[podClaimAnnotation] === podClaim.name);
  if (orphan !== undefined) return orphan.metadata.name;
  const templateName = podClaim.resourceClaimTemplateName ?? "";
  const template = cached(ResourceClaimTemplates).get(templateName, namespace);
  if (template === undefined) {
    throw new Error(
      `resource claim template ${JSON.stringify(templateName)}: resourceclaimtemplate.resource.k8s.io ${JSON.stringify(templateName)} not found`,
    );
  }
  try {
    const claim = claimFrom(pod, { name: podClaim.name, template });
    return (await client.create(ResourceClaims, claim, { signal })).metadata.name;
  } catch (error) {
    throw isAbort(error, signal) ? error : new Error(`create ResourceClaim : ${describeError(error)}`);
  }
}

/** A pod that got to its node past the scheduler is written into its claims here. */
async function reserve(pod: Pod, { client, cached, signal }: ReconcileContext): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  for (const podClaim of pod.spec.resourceClaims ?? []) {
    const place = placeOf(pod, podClaim);
    const claim = place.kind === "named" ? cached(ResourceClaims).get(place.name, namespace) : undefined;
    if (claim === undefined || !mayReserve(claim, pod)) continue;
    const reservedFor = [...(claim.status?.reservedFor ?? []), { resource: "pods", name, uid }];
    await client.updateStatus(ResourceClaims, { ...claim, status: { ...claim.status, reservedFor } }, { signal });
  }
}

/** Takes pods that are done out of claims, frees the devices of claims that nobody uses, removes claims of pods that are done. */
const claimReservations = defineController<DynamicResourceClaim>({
  name: "resource-claim-reservations",
  component: "resource_claim",
  for: ResourceClaims,
  watches: [
    watching(Pods, (pod) => {
      const named = (pod.spec.resourceClaims ?? []).flatMap((podClaim) => {
        const place = placeOf(pod, podClaim);
        return place.kind === "named" ? [place.name] : [];
      });
      // The scheduler makes this one, for devices that are asked for by the names of resources.
      const special = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
      return [...named, ...(special ? [special] : [])].map((name) => ({ namespace: pod.metadata.namespace, name }));
    }),
  ],
  async reconcile(claim, context) {
    const { client, cached, signal } = context;
    const before = claim.status?.reservedFor ?? [];
    const valid: typeof before = [];
    for (const entry of before) if (await isConsumer(claim, entry, context)) valid.push(entry);
    const isHeld = claim.metadata.finalizers?.includes(claimFinalizer) === true;
    const leaves = claim.metadata.deletionTimestamp !== undefined;
    const frees = isHeld && valid.length === 0 && (before.length > 0 || leaves);
    let current = claim;
    if (valid.length < before.length || (frees && claim.status?.allocation !== undefined)) {
      const { allocation, reservedFor: _before, ...status } = claim.status ?? {};
      const kept = frees || allocation === undefined ? {} : { allocation };
      const reserved = valid.length === 0 ? {} : { reservedFor: valid };
      const written = { ...claim, status: { ...status, ...kept, ...reserved } };
      current = await client.updateStatus(ResourceClaims, written, { signal });
    }
    if (frees && current.status?.allocation === undefined) {
      current = await client.update(ResourceClaims, withFinalizer(current, claimFinalizer, false), { signal });
    }
    const owner = podOwner(claim);
    if (valid.length > 0 || owner === undefined || leaves) return done;
    const pod = cached(Pods).get(owner.name, claim.metadata.namespace);
    // Of a pod that is not known the garbage collector takes care.
    if (pod === undefined || (pod.metadata.uid === owner.uid && !isPodDone(pod))) return done;
    await client.delete(ResourceClaims, claim.metadata, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    return done;
  },
});

async function isConsumer(
  claim: DynamicResourceClaim,
  {
    apiGroup = "",
    resource,
    name,
    uid,
  }: { apiGroup?: string | undefined; resource: string; name: string; uid: string },
  { client, cached, signal }: ReconcileContext,
): Promise<boolean> {
  if (apiGroup !== "" || resource !== "pods") throw new Error(`unsupported ReservedFor entry: ${resource}.${apiGroup}`);
  const ref = { namespace: claim.metadata.namespace, name };
  const known = cached(Pods).get(name, ref.namespace);
  if (known !== undefined) return known.metadata.uid === uid && !isPodDone(known);
  try {
    // Taking out a pod that is being scheduled would be bad: the cache may be behind.
    return (await client.get(Pods, ref, { signal })).metadata.uid === uid;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Both halves of it. */
export const resourceClaimControllers: readonly Loop[] = [podClaims, claimReservations];
