import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { AggregatedService } from "./aggregated-service.ts";
import { discoveryPath } from "./aggregation.ts";
import type { Asking } from "./ask.ts";

/** What is left of one resource of an aggregated server after its objects were deleted. */
export interface AggregatedRemains {
  readonly resource: { readonly group: string; readonly plural: string };
  readonly objects: readonly { readonly metadata: { readonly finalizers?: string[] } }[];
}

const accept = "application/json";

/** Deletes what a namespace holds of an aggregated server's objects, and says what is left. Rejects when that cannot be. */
export async function emptyAggregated(
  asking: Pick<Asking, "get">,
  service: AggregatedService,
  { namespace, signal }: { readonly namespace: string; readonly signal: AbortSignal },
): Promise<readonly AggregatedRemains[]> {
  const root = discoveryPath(service);
  const ask = async (path: string, method?: "DELETE"): Promise<JsonObject> => {
    const options = { accept, trusting: false, signal, ...(method === undefined ? {} : { method }) };
    const { status, body } = await asking.get(service, path, options);
    // Gone meanwhile, or never there, is as good as deleted.
    if (status === 404) return {};
    if (status < 200 || status > 299) throw new Error(`${method ?? "GET"} ${path}: status ${status}`);
    const json: unknown = JSON.parse(body);
    return isJsonObject(json) ? json : {};
  };
  const remains: AggregatedRemains[] = [];
  for (const { name, namespaced, verbs } of objects((await ask(root)).resources)) {
    const can = (verb: string): boolean => Array.isArray(verbs) && verbs.includes(verb);
    if (namespaced !== true || typeof name !== "string" || name.includes("/")) continue;
    if (!can("list") || !can("delete")) continue;
    const path = `${root}/namespaces/${encodeURIComponent(namespace)}/${name}`;
    const items = objects((await ask(path)).items);
    if (items.length === 0) continue;
    if (can("deletecollection")) await ask(path, "DELETE");
    else for (const item of items) await ask(`${path}/${encodeURIComponent(nameOf(item))}`, "DELETE");
    const left = objects((await ask(path)).items);
    if (left.length > 0) remains.push({ resource: { group: service.group, plural: name }, objects: left.map(heldBy) });
  }
  return remains;
}

const objects = (value: JsonValue | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

const nameOf = ({ metadata }: JsonObject): string => (isJsonObject(metadata) ? String(metadata.name) : "");

function heldBy({ metadata }: JsonObject): { readonly metadata: { readonly finalizers?: string[] } } {
  const finalizers = isJsonObject(metadata) && Array.isArray(metadata.finalizers) ? metadata.finalizers : [];
  return { metadata: { finalizers: finalizers.map(String) } };
}
