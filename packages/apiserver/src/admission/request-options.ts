import type { JsonObject } from "@skiff/base";
import type { DeleteRequest, WriteContext } from "../contracts.ts";

const apiVersion = "meta.k8s.io/v1";

/** The options of a write as admission shows them to others. */
export function writeOptions(kind: "CreateOptions" | "UpdateOptions", context: WriteContext): JsonObject {
  return {
    kind,
    apiVersion,
    ...(context.dryRun ? { dryRun: ["All"] } : {}),
    fieldManager: context.fieldManager,
    fieldValidation: context.fieldValidation,
  };
}

/** The options of a deletion as admission shows them to others. */
export function deleteOptions(
  { gracePeriodSeconds, propagationPolicy, preconditions }: DeleteRequest,
  { dryRun }: WriteContext,
): JsonObject {
  return {
    kind: "DeleteOptions",
    apiVersion,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions: { ...preconditions } }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(dryRun ? { dryRun: ["All"] } : {}),
  };
}
