import type { KubeObject, OwnerReference } from "@skiff/api";

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

/** What is known of an owner that an object names. */
export type OwnerState =
  /** There, and to stay. */
  | "solid"
  /** Being deleted in the foreground: it waits for those that it owns. */
  | "waiting"
  /** Not there. */
  | "absent";

export type Policy = "Foreground" | "Background" | "Orphan";

/** What to do with an object because of its owners. */
export type Verdict =
  | { readonly kind: "keep" }
  /** Owners are gone but others remain: only the references go. */
  | { readonly kind: "unlink"; readonly uids: readonly string[] }
  | { readonly kind: "delete"; readonly policy: Policy };

export const isDeleting = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

export const hasFinalizer = ({ metadata }: KubeObject, finalizer: string): boolean =>
  metadata.finalizers?.includes(finalizer) === true;

/** An owner whose deletion waits for what it owns. */
export const waitsForDependents = (object: KubeObject): boolean =>
  isDeleting(object) && hasFinalizer(object, foregroundFinalizer);

/**
 * An object lives for as long as one of its owners does. One whose owners are all gone, or waiting for it to go, is deleted;
 * in the foreground when an owner waits and it has dependents of its own, so that they go before it.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function judge(
  object: KubeObject,
  owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[],
  hasDependents: boolean,
): Verdict {
  if (owners.length === 0) return { kind: "keep" };
  const leaving = owners.filter(({ state }) => state !== "solid");
  if (leaving.length === 0) return { kind: "keep" };
  if (leaving.length < owners.length) return { kind: "unlink", uids: leaving.map(({ reference }) => reference.uid) };
  if (owners.some(({ state }) => state === "waiting") && hasDependents) return { kind: "delete", policy: "Foreground" };
  if (hasFinalizer(object, orphanFinalizer)) return { kind: "delete", policy: "Orphan" };
  if (hasFinalizer(object, foregroundFinalizer)) return { kind: "delete", policy: "Foreground" };
  return { kind: "delete", policy: "Background" };
}

/** True when a dependent keeps an owner, which is being deleted in the foreground, from going. */
export const blocks = (dependent: KubeObject, ownerUid: string): boolean =>
  dependent.metadata.ownerReferences?.some(
    ({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true,
  ) === true;
