import { createHash } from "node:crypto";
import { type APIGroup, type APIResource, apiVersionOf, type ResourceDefinition } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { GroupVersions } from "../aggregation/merge-groups.ts";
import type { CatalogVersion } from "./catalog.ts";

/** Verbs as discovery says them, of the actions as the API's document says them. Sorted, as Kubernetes sorts them. */
const verbsOf: Readonly<Record<string, readonly string[]>> = {
  get: ["get"],
  list: ["list", "watch"],
  post: ["create"],
  put: ["update"],
  patch: ["patch"],
  delete: ["delete"],
  deletecollection: ["deletecollection"],
};

const connectVerbs: Readonly<Record<string, readonly string[]>> = {
  proxy: ["create", "delete", "get", "patch", "update"],
};

const streamVerbs = ["create", "get"];

function verbs(actions: readonly string[], subresource = ""): string[] {
  const all = actions.flatMap((action) =>
    action === "connect" ? (connectVerbs[subresource] ?? streamVerbs) : (verbsOf[action] ?? []),
  );
  return [...new Set(all)].sort();
}

/** `verbs` of a resource: `["create", "delete", …]`. */
export const resourceVerbs = (resource: ResourceDefinition): string[] => verbs(resource.actions);

/** `verbs` of a subresource. */
export const subresourceVerbs = (name: string, actions: readonly string[]): string[] => verbs(actions, name);

/** What a resource is stored as, in a form that is only good for telling whether it is another now. */
function storedHash(resource: ResourceDefinition): string {
  const { group, version, kind } = { kind: resource.kind, ...(resource.storedAs ?? resource) };
  const digest = createHash("sha256").update(`${group}/${version}/${kind}`).digest();
  return digest.subarray(0, 8).toString("base64");
}

/** One resource with its subresources, as `/api/v1` lists them. */
function entries(resource: ResourceDefinition): APIResource[] {
  const namespaced = resource.scope === "namespaced";
  const own: APIResource = {
    name: resource.plural,
    singularName: resource.singular,
    namespaced,
    kind: resource.kind,
    verbs: resourceVerbs(resource),
    ...(resource.shortNames.length === 0 ? {} : { shortNames: [...resource.shortNames] }),
    ...(resource.categories.length === 0 ? {} : { categories: [...resource.categories] }),
    ...(resource.actions.includes("get") ? { storageVersionHash: storedHash(resource) } : {}),
  };
  const parts = [...resource.subresources].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    own,
    ...parts.map(({ name, kind, actions }): APIResource => {
      const elsewhere = kind.group !== resource.group || kind.version !== resource.version;
      return {
        name: `${resource.plural}/${name}`,
        singularName: "",
        namespaced,
        ...(elsewhere ? { group: kind.group, version: kind.version } : {}),
        kind: kind.kind,
        verbs: subresourceVerbs(name, actions),
      };
    }),
  ];
}

/** The document of `/api/v1` and `/apis/GROUP/VERSION`. */
export const resourceList = (group: string, { version, resources }: CatalogVersion): JsonObject => ({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: apiVersionOf({ group, version }),
  resources: resources.flatMap(entries).map((entry) => ({ ...entry })),
});

function groupEntry({ group, versions }: GroupVersions): APIGroup {
  const listed = versions.map(({ version }) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  const [preferred] = listed;
  return { name: group, versions: listed, ...(preferred === undefined ? {} : { preferredVersion: preferred }) };
}

const plain = ({ name, versions, preferredVersion }: APIGroup): JsonObject => ({
  name,
  versions: versions.map((version) => ({ ...version })),
  ...(preferredVersion === undefined ? {} : { preferredVersion: { ...preferredVersion } }),
});

/** The document of `/apis/GROUP`. */
export const groupDocument = (group: GroupVersions): JsonObject => ({
  kind: "APIGroup",
  apiVersion: "v1",
  ...plain(groupEntry(group)),
});

/** The document of `/apis`. The core group is not among them. */
export const groupList = (groups: readonly GroupVersions[]): JsonObject => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: groups.filter(({ group }) => group !== "").map((group) => plain(groupEntry(group))),
});

/** The document of `/api`. */
export const coreVersions = (serverAddress: string): JsonObject => ({
  kind: "APIVersions",
  versions: ["v1"],
  serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
});
