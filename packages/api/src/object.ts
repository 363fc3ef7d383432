import type { JsonObject } from "@skiff/base";
import type { ListMeta, ObjectMeta } from "./generated/types/meta-v1.ts";

/** Metadata as the server stores it: what it fills in on creation is always there. */
export interface ClusterMeta extends ObjectMeta {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
}

/** Metadata of an object that lives in a namespace. */
export interface NamespacedMeta extends ClusterMeta {
  namespace: string;
}

/** What all objects of the API have in common. Spec, status and whatever else a kind has come with its own type. */
export interface KubeObject {
  apiVersion?: string | undefined;
  kind?: string | undefined;
  metadata: ClusterMeta;
}

/** An object of a kind that only its schema knows: built-in kinds without code of their own, custom resources. */
export interface DynamicObject extends KubeObject {
  [field: string]: unknown;
}

/** Fields that a client may leave out, at any depth that matters: what the server adds to an object on creation. */
export type New<T extends KubeObject> = Omit<T, "metadata" | "status" | "spec"> & {
  metadata: ObjectMeta;
} & (T extends { spec: infer Spec } ? { spec?: Spec } : unknown) &
  (T extends { status: infer Status } ? { status?: Status } : unknown);

/** A list as the API answers it. Items carry no `kind` and `apiVersion` of their own. */
export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion?: string | undefined;
  kind?: string | undefined;
  metadata: ListMeta;
  items: T[];
}

/** Where an object is. Cluster-scoped kinds have no namespace. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** A watch's event. A `bookmark` carries only kind, apiVersion and `metadata.resourceVersion` (and annotations). */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly object: { readonly metadata: ObjectMeta } & JsonObject }
  | { readonly type: "ERROR"; readonly object: JsonObject };
