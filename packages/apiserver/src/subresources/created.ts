import type { ObjectRef } from "@skiff/api";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { kindOf } from "../admission/matching/equivalents.ts";
import type { AdmissionAction, ResourceStorage } from "../contracts.ts";
import { asObject } from "../encoding/object-json.ts";

/** What admission sees of a body that is posted to a subresource: plugins may change the body. */
export function created(
  { resource }: Pick<ResourceStorage, "resource">,
  what: { readonly ref: ObjectRef; readonly subresource: string; readonly body: JsonObject },
): AdmissionAction {
  const { ref, subresource, body } = what;
  const kind = kindOf(resource, subresource);
  body.kind = kind.kind;
  body.apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  if (!isJsonObject(body.metadata)) body.metadata = {};
  const { namespace, name } = ref;
  return { operation: "CREATE", subresource, kind, namespace, name, object: asObject(body), oldObject: undefined };
}
