import type { JsonObject } from "@skiff/base";
import type { ResourceDefinition } from "../resource-definition.ts";

/** The document of `/openapi/v2` (swagger 2.0): all definitions that `resources` reach, and their paths. */
export function openApiV2(_resources: readonly ResourceDefinition[], _gitVersion: string): JsonObject {
  throw new Error("not yet");
}

/** The document of `/openapi/v3/apis/GROUP/VERSION` (OpenAPI 3.0) for the resources of one group and version. */
export function openApiV3(_resources: readonly ResourceDefinition[], _gitVersion: string): JsonObject {
  throw new Error("not yet");
}
