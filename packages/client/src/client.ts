import type { KubeList, KubeObject, New, ObjectRef, PatchType, ResourceDefinition, WatchEvent } from "@skiff/api";
import type { JsonObject, JsonValue } from "@skiff/base";

/** What every call carries: the signal that ends the caller's interest in it. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

export interface ListOptions extends CallOptions {
  /** All namespaces where absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continueToken?: string;
  readonly resourceVersion?: string;
}

export interface WatchOptions extends CallOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this version; from the present state (as ADDED events) where absent. */
  readonly resourceVersion?: string;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export interface UpdateOptions extends WriteOptions {
  /** Replaces this part of the object only, as in `finalize`. `updateStatus` is the short way for `status`. */
  readonly subresource?: string;
}

export interface DeleteOptions extends CallOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan";
  /** Delete only this very object, in this very version. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface PatchOptions extends WriteOptions {
  readonly type: PatchType;
  readonly subresource?: string;
  /** With type `apply`: take fields from other managers. */
  readonly force?: boolean;
}

/**
 * The typed client: the only way by which controllers, scheduler, kubelet and proxy see the cluster. What it returns is
 * shared and frozen: copy (`deepCopy`) before changing. Refusals throw `StatusError`.
 */
export interface Client {
  get<T extends KubeObject>(resource: ResourceDefinition<T>, ref: ObjectRef, options: CallOptions): Promise<T>;
  list<T extends KubeObject>(resource: ResourceDefinition<T>, options: ListOptions): Promise<KubeList<T>>;
  /** One connection's events; ends when the server ends it. Informers are what most callers want. */
  watch<T extends KubeObject>(resource: ResourceDefinition<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(resource: ResourceDefinition<T>, object: New<T>, options: WriteOptions): Promise<T>;
  /** Replaces the object; conflicts when `metadata.resourceVersion` is not the newest (when it is set). */
  update<T extends KubeObject>(resource: ResourceDefinition<T>, object: T, options: UpdateOptions): Promise<T>;
  /** Replaces only the status. */
  updateStatus<T extends KubeObject>(resource: ResourceDefinition<T>, object: T, options: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    ref: ObjectRef,
    patch: JsonValue | object,
    options: PatchOptions,
  ): Promise<T>;
  /** Gives the object as it was last (still there while finalizers or grace hold it), or a Status. */
  delete<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    ref: ObjectRef,
    options: DeleteOptions,
  ): Promise<JsonObject>;
  /** Posts to a subresource: `binding`, `eviction`, `token`. */
  createSubresource<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options: WriteOptions,
  ): Promise<JsonObject>;
  /** What an object's `/scale` tells. Throws 404 where the object is not, or its kind has no such thing. */
  getScale(resource: ResourceDefinition, ref: ObjectRef, options: CallOptions): Promise<Scale>;
  /** Asks for so many replicas through `/scale`. */
  setScale(resource: ResourceDefinition, ref: ObjectRef, replicas: number, options: WriteOptions): Promise<Scale>;
}

/** How many replicas an object asks for and has, and the labels of its pods as a selector's text (empty: unknown). */
export interface Scale {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly wanted: number;
  readonly present: number;
  readonly selector: string;
}
