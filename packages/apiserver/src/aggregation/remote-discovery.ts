import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { AggregatedVersion } from "../discovery/aggregated.ts";
import type { AggregatedService } from "./aggregated-service.ts";
import { discoveryPath } from "./aggregation.ts";
import type { RemoteDocuments } from "./remote-documents.ts";

const aggregatedType = (version: AggregatedVersion): string =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
const accept = `${aggregatedType("v2")},${aggregatedType("v2beta1")};q=0.9,application/json;q=0.8`;

const objects = (value: JsonValue | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

/** What aggregated discovery says of a version that another server answers. */
export async function remoteVersion(service: AggregatedService, documents: RemoteDocuments): Promise<JsonObject> {
  const { isCurrent, resources } = await resourcesOf(service, documents);
  return { version: service.version, resources, freshness: isCurrent ? "Current" : "Stale" };
}

async function resourcesOf(
  service: AggregatedService,
  documents: RemoteDocuments,
): Promise<{ readonly isCurrent: boolean; readonly resources: JsonObject[] }> {
  const all = await documents.get(service, { path: "/apis", accept });
  if (all.document?.json.kind === "APIGroupDiscoveryList") {
    const group = objects(all.document.json.items).find(
      ({ metadata }) => isJsonObject(metadata) && metadata.name === service.group,
    );
    const version = objects(group?.versions).find((item) => item.version === service.version);
    if (version !== undefined) return { isCurrent: all.isCurrent, resources: objects(version.resources) };
  }
  const plain = await documents.get(service, { path: discoveryPath(service), accept: "application/json" });
  const listed = objects(plain.document?.json.resources);
  return { isCurrent: plain.isCurrent, resources: discoveryEntries(service, listed) };
}

/** The entries of an APIResourceList, subresources beside their resources, as aggregated discovery has them. */
export function discoveryEntries(
  { group, version }: Pick<AggregatedService, "group" | "version">,
  listed: readonly JsonObject[],
): JsonObject[] {
  const entries = new Map<string, JsonObject>();
  const kindOf = (item: JsonObject): JsonObject => ({
    group: item.group || group,
    version: item.version || version,
    kind: item.kind ?? "",
  });
  for (const item of listed) {
    const name = String(item.name);
    if (name.includes("/")) continue;
    entries.set(name, {
      resource: name,
      responseKind: kindOf(item),
      scope: item.namespaced === true ? "Namespaced" : "Cluster",
      singularResource: item.singularName ?? "",
      verbs: item.verbs ?? [],
      ...(item.shortNames === undefined ? {} : { shortNames: item.shortNames }),
      ...(item.categories === undefined ? {} : { categories: item.categories }),
    });
  }
  for (const item of listed) {
    const [resource = "", subresource] = String(item.name).split("/");
    if (subresource === undefined) continue;
    const entry = entries.get(resource);
    if (entry === undefined) continue;
    const others = objects(entry.subresources);
    entry.subresources = [...others, { subresource, responseKind: kindOf(item), verbs: item.verbs ?? [] }];
  }
  return [...entries.values()];
}
