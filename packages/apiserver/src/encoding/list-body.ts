import { apiVersionOf, type ResourceDefinition } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { ObjectList } from "../verbs/list.ts";

/** The metadata of a list. */
export const listMetadata = ({ revision, continueToken, remaining }: ObjectList): JsonObject => ({
  resourceVersion: String(revision),
  ...(continueToken === "" ? {} : { continue: continueToken }),
  ...(remaining === undefined || remaining === 0 ? {} : { remainingItemCount: remaining }),
});

const comma = 0x2c;
const openBrace = 0x7b;

/** A list in JSON, put together from the bytes of its items: they carry no `kind` and `apiVersion` of their own. */
export function listBody(resource: ResourceDefinition, list: ObjectList): Buffer {
  const metadata = JSON.stringify(listMetadata(list));
  const apiVersion = apiVersionOf(resource);
  const head = Buffer.from(
    `{"kind":"${resource.listKind}","apiVersion":"${apiVersion}","metadata":${metadata},"items":[`,
  );
  let size = head.length + 2;
  for (const item of list.items) size += item.json.length - item.metadataAt + 2;
  const body = Buffer.allocUnsafe(size);
  let at = head.copy(body, 0);
  for (const [index, item] of list.items.entries()) {
    if (index > 0) body[at++] = comma;
    body[at++] = openBrace;
    at += item.json.copy(body, at, item.metadataAt);
  }
  at += body.write("]}", at);
  return body.subarray(0, at);
}
