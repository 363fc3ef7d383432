import type { FieldError, KubeObject } from "@skiff/api";
import type { Operation } from "@skiff/store";
import type { Reservation } from "../allocation/service-allocation.ts";
import type { WriteContext } from "../contracts.ts";

/** A write that is to be judged, before what it makes is. */
export interface JudgedWrite<T extends KubeObject> {
  readonly object: T;
  /** Absent for a creation. */
  readonly old: T | undefined;
  readonly subresource: string | undefined;
  readonly context: WriteContext;
}

/** Who may write what of a resource, and where, beyond what authorizers say. */
export interface WritePermits<T extends KubeObject = KubeObject> {
  /** Findings before the kind's own: what is not granted. Asked about subresources, too. */
  permit(write: JudgedWrite<T>): readonly FieldError[] | Promise<readonly FieldError[]>;
}

/**
 * What a resource does beside being stored: taking addresses for a Service, marking a Namespace as it begins to go.
 * Methods, so that hooks for one kind stand in a table of hooks for all kinds.
 */
export interface StorageHooks<T extends KubeObject = KubeObject> {
  /** Findings beside the kind's own (`found`), which take more than the kind knows: expressions that have to compile. */
  check?(
    object: T,
    old: T | undefined,
    found: readonly FieldError[],
  ): readonly FieldError[] | Promise<readonly FieldError[]>;
  /** `check` looks at what is written to subresources, too. */
  readonly checksParts?: boolean;
  /** Between admission and commit, on an object that may still be changed; what it took is kept or given back. */
  reserve?(object: T, old: T | undefined, options: { readonly dryRun: boolean }): Reservation;
  /** What else the transaction does that deletes the object. */
  unclaim?(object: T): readonly Operation[];
  /** The object is gone from the store. */
  release?(object: T): void;
  /** Throws what a creation is refused with, whatever the object. */
  refuseCreation?(): void;
  /** A deletion of the object begins. The object may be changed: given finalizers that hold it, for one. */
  removing?(object: T): void;
  /** The object is about to be marked as being deleted, and may be changed. */
  marked?(object: T): void;
  /** Objects of this kind end by themselves after so long. */
  readonly ttlMs?: number;
}

/** A reservation of nothing. */
export const nothingReserved: Reservation = { commit() {}, rollback() {} };
