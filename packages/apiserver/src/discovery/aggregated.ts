import type { ResourceDefinition } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { CatalogGroup } from "./catalog.ts";
import { resourceVerbs, subresourceVerbs } from "./resource-lists.ts";

/** Versions of `apidiscovery.k8s.io` that can be asked for. */
export type AggregatedVersion = "v2" | "v2beta1";

const kindOf = ({ group, version, kind }: { group: string; version: string; kind: string }): JsonObject => ({
  group,
  version,
  kind,
});

function resourceEntry(resource: ResourceDefinition): JsonObject {
  const { plural, singular, shortNames, categories } = resource;
  const subresources = [...resource.subresources].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    resource: plural,
    responseKind: kindOf(resource),
    scope: resource.scope === "namespaced" ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs: resourceVerbs(resource),
    ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
    ...(categories.length === 0 ? {} : { categories: [...categories] }),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map(({ name, kind, actions }) => ({
            subresource: name,
            responseKind: kindOf(kind),
            verbs: subresourceVerbs(name, actions),
          })),
        }),
  };
}

/** All groups with all of their resources in one document, so that a client learns a cluster in two requests. */
export const aggregatedList = (groups: readonly CatalogGroup[], version: AggregatedVersion): JsonObject => ({
  kind: "APIGroupDiscoveryList",
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: groups.map(({ group, versions }) => ({
    metadata: { ...(group === "" ? {} : { name: group }), creationTimestamp: null },
    versions: versions.map((item) => ({
      version: item.version,
      resources: item.resources.map(resourceEntry),
      freshness: "Current",
    })),
  })),
});
