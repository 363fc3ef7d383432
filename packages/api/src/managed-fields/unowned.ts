import type { StructSchema } from "../schema/schema.ts";
import { differenceOf, type FieldSet, recursiveDifferenceOf } from "./field-set.ts";

/** Fields that belong to nobody: they name the object, or the server sets them. */
const neverOwned: FieldSet = {
  "f:apiVersion": {},
  "f:kind": {},
  "f:metadata": {
    ".": {},
    "f:clusterName": {},
    "f:creationTimestamp": {},
    "f:generation": {},
    "f:managedFields": {},
    "f:name": {},
    "f:namespace": {},
    "f:resourceVersion": {},
    "f:selfLink": {},
    "f:uid": {},
  },
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
