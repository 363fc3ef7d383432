import type { JsonObject } from "@skiff/base";
import type { StructSchema } from "../schema/schema.ts";
import type { FieldWriter } from "./update.ts";

export interface ApplyRequest extends FieldWriter {
  /** What is stored; on creation an object with only apiVersion, kind and metadata's name and namespace. */
  readonly live: JsonObject;
  /** The applied configuration: only the fields that the writer has an opinion about. */
  readonly config: JsonObject;
  readonly schema: StructSchema;
  /** Take fields over from others instead of refusing. */
  readonly force: boolean;
}

export interface Applied {
  /** Live and configuration merged, `metadata.managedFields` set; defaults not yet run. A new object. */
  readonly object: JsonObject;
  /** False when the object is as it was, including who owns what. */
  readonly changed: boolean;
}

/**
 * Server-side apply. Throws `StatusError`: 409 with one cause a field when others own fields that would change, 400 or 500 (as
 * Kubernetes has it) for configurations that do not fit the schema.
 */
export function applyConfiguration(_request: ApplyRequest): Applied {
  throw new Error("not yet");
}
