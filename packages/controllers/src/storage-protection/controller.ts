import {
  isNotFound,
  type KubeObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  Pods,
  type ResourceDefinition,
  VolumeAttributesClasses,
} from "@skiff/api";
import { defineController, done, type ReconcileContext, watching } from "@skiff/control-loop";
import { attributesClassesOf, claimsOf, isBound, protection, usesClaims, withFinalizer } from "./plan.ts";

/** What an object is protected by. */
interface Guard<T extends KubeObject> {
  readonly resource: ResourceDefinition<T>;
  readonly finalizer: string;
  isUsed(): boolean | Promise<boolean>;
}

async function protect<T extends KubeObject>(
  object: T,
  { resource, finalizer, isUsed }: Guard<T>,
  { client, signal }: ReconcileContext,
): Promise<typeof done> {
  // Only what goes is worth the question who uses it.
  const used = object.metadata.deletionTimestamp !== undefined && (await isUsed());
  const wanted = protection(object, finalizer, () => used);
  if (wanted === "nothing" || wanted === "wait") return done;
  await client
    .update(resource, withFinalizer(object, finalizer, wanted === "add"), { signal })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  return done;
}

const claimIndex = "claims in use";

/** Claims stay for as long as pods use them. */
export const claimProtectionController = defineController<PersistentVolumeClaim>({
  name: "pvc-protection",
  component: "pvc-protection-controller",
  for: PersistentVolumeClaims,
  watches: [watching(Pods, (pod) => claimsOf(pod).map((name) => ({ namespace: pod.metadata.namespace, name })))],
  reconcile(claim, context) {
    const { cached, client, signal } = context;
    const { namespace, name } = claim.metadata;
    const pods = cached(Pods);
    const key = `${namespace}/${name}`;
    pods.addIndex(claimIndex, (pod) => claimsOf(pod).map((mounted) => `${pod.metadata.namespace}/${mounted}`));
    const isUsed = async (): Promise<boolean> => {
      if (pods.byIndex(claimIndex, key).some(usesClaims)) return true;
      // The cache may be behind a pod that came a moment ago.
      const { items } = await client.list(Pods, { namespace, signal });
      return items.some((pod) => usesClaims(pod) && claimsOf(pod).includes(name));
    };
    const guard = { resource: PersistentVolumeClaims, finalizer: "kubernetes.io/pvc-protection", isUsed };
    return protect(claim, guard, context);
  },
});

type AttributesClass = typeof VolumeAttributesClasses extends ResourceDefinition<infer T> ? T : never;

/** Classes of volume attributes stay for as long as claims or volumes name them. */
export const attributesClassProtectionController = defineController<AttributesClass>({
  name: "vac-protection",
  component: "volumeattributesclass-protection-controller",
  for: VolumeAttributesClasses,
  watches: [
    watching(PersistentVolumeClaims, (claim) => attributesClassesOf(claim).map((name) => ({ name }))),
    watching(PersistentVolumes, ({ spec }) =>
      spec.volumeAttributesClassName ? [{ name: spec.volumeAttributesClassName }] : [],
    ),
  ],
  reconcile(attributesClass, context) {
    const { name } = attributesClass.metadata;
    const isUsed = () =>
      context
        .cached(PersistentVolumeClaims)
        .list()
        .some((claim) => attributesClassesOf(claim).includes(name)) ||
      context
        .cached(PersistentVolumes)
        .list()
        .some(({ spec }) => spec.volumeAttributesClassName === name);
    const guard = { resource: VolumeAttributesClasses, finalizer: "kubernetes.io/vac-protection", isUsed };
    return protect(attributesClass, guard, context);
  },
});

/** Volumes stay for as long as they are bound. */
export const volumeProtectionController = defineController<PersistentVolume>({
  name: "pv-protection",
  component: "pv-protection-controller",
  for: PersistentVolumes,
  reconcile: (volume, context) =>
    protect(
      volume,
      { resource: PersistentVolumes, finalizer: "kubernetes.io/pv-protection", isUsed: () => isBound(volume) },
      context,
    ),
});
