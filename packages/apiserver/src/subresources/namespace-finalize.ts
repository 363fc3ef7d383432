import { Namespaces } from "@skiff/api";
import { isJsonObject, type JsonObject } from "@skiff/base";
import type { ResourceTable, SubresourceHandler } from "../contracts.ts";
import { objectHandler } from "./object-handler.ts";

const finalizersIn = (body: JsonObject): string[] => {
  const spec = isJsonObject(body.spec) ? body.spec : {};
  return Array.isArray(spec.finalizers) ? spec.finalizers.filter((item) => typeof item === "string") : [];
};

/** `namespaces/finalize`: changes `spec.finalizers` and nothing else. Without any left a deleted Namespace goes. */
export const namespaceFinalize = (table: ResourceTable): SubresourceHandler =>
  objectHandler(async ({ ref, body = {}, context }) => {
    const metadata = isJsonObject(body.metadata) ? body.metadata : {};
    const version = typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : "";
    const result = await table.of(Namespaces).modify(
      ref,
      (current) => ({
        ...current,
        metadata: { ...current.metadata, ...(version === "" ? {} : { resourceVersion: version }) },
        spec: { ...current.spec, finalizers: finalizersIn(body) },
      }),
      { ...context, subresource: "finalize" },
    );
    return JSON.parse(JSON.stringify(result));
  });
