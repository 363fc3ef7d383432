import type { StructSchema } from "../schema/schema.ts";
import { differenceOf, type FieldSet, leaf, recursiveDifferenceOf } from "./field-set.ts";
import { fieldElement } from "./path-element.ts";

/** Fields that belong to nobody: they name the object, or the server sets them. */
export const unownedMetadata: ReadonlySet<string> = new Set([
  "clusterName",
  "creationTimestamp",
  "generation",
  "managedFields",
  "name",
  "namespace",
  "resourceVersion",
  "selfLink",
  "uid",
]);

/** The same at the top of an object: `metadata` itself is nobody's, though its members may be. */
export const unownedMembers: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

const neverOwned: FieldSet = {
  "f:apiVersion": leaf,
  "f:kind": leaf,
  "f:metadata": Object.fromEntries([".", ...[...unownedMetadata].map(fieldElement)].map((element) => [element, leaf])),
};

/** What of a set its writer may own, given that writes to this place do not reach `reset`. */
export const ownable = (fields: FieldSet, reset: FieldSet): FieldSet =>
  recursiveDifferenceOf(differenceOf(fields, neverOwned), reset);

/** The fields that a write to the object or to one of its subresources does not reach, as most kinds have it. */
export function usualReset(schema: StructSchema, subresource: string | undefined): FieldSet {
  if (subresource === "status") return { "f:spec": {} };
  const hasStatus = schema.field("status") !== undefined && schema.field("spec") !== undefined;
  return subresource === undefined && hasStatus ? { "f:status": {} } : {};
}
