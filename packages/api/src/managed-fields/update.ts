import type { JsonObject } from "@skiff/base";
import type { StructSchema } from "../schema/schema.ts";

/** Who writes, with what version of the kind, and when. */
export interface FieldWriter {
  /** The field manager's name: the query parameter `fieldManager`, else the first part of the user agent. */
  readonly manager: string;
  /** `apps/v1` */
  readonly apiVersion: string;
  /** `status`, `scale`, …; absent for the object itself. */
  readonly subresource?: string | undefined;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

export interface UpdateRequest extends FieldWriter {
  /** What is stored; `undefined` on creation. */
  readonly live: JsonObject | undefined;
  /** What is about to be stored, as the client sent it and the server completed it. Its `metadata.managedFields` is set. */
  readonly next: JsonObject;
  readonly schema: StructSchema;
}

/**
 * Records in `next.metadata.managedFields` who owns which field after a create, update or patch (all but apply): what changed
 * belongs to the writer from now on. Changes `next.metadata` only; cheap when little changed.
 */
export function updateManagedFields(_request: UpdateRequest): void {
  throw new Error("not yet");
}
