import { isJsonObject, type JsonObject } from "@skiff/base";
import type { ResourceTable, SubresourceHandler } from "../contracts.ts";
import { asJson, asObject } from "../encoding/object-json.ts";
import { type ObjectCall, objectHandler } from "./object-handler.ts";

/** A resource whose objects are answered and never stored. */
export interface ReviewPlace {
  readonly group: string;
  readonly plural: string;
}

/** Answers reviews. Nothing is stored, but admission decides on each of them as on any creation, and may change it. */
export function reviewHandler(
  table: Pick<ResourceTable, "find">,
  place: ReviewPlace,
  serve: (call: ObjectCall) => Promise<JsonObject>,
): SubresourceHandler {
  return objectHandler(async (call) => {
    const storage = table.find({ ...place, version: "v1" });
    if (storage === undefined) return await serve(call);
    const { resource } = storage;
    const { body = {}, ref, context } = call;
    const object = asObject({
      ...body,
      kind: resource.kind,
      apiVersion: `${place.group}/v1`,
      metadata: isJsonObject(body.metadata) ? body.metadata : {},
    });
    const { namespace } = ref;
    const action = { kind: resource, namespace, name: "", object, oldObject: undefined, subresource: undefined };
    await storage.admit({ operation: "CREATE", ...action }, context);
    return await serve({ ...call, body: asJson(object) });
  });
}
