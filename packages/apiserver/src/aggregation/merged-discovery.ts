import { isJsonObject, type JsonObject } from "@skiff/base";
import type { Aggregation } from "./aggregation.ts";
import { type GroupVersions, mergeGroups } from "./merge-groups.ts";
import { remoteVersion } from "./remote-discovery.ts";
import type { RemoteDocuments } from "./remote-documents.ts";

/** Discovery of what other servers answer, merged into that of this one. The core group is this server's alone. */
export class MergedDiscovery {
  readonly #aggregation: Aggregation;
  readonly #documents: RemoteDocuments;

  constructor(aggregation: Aggregation, documents: RemoteDocuments) {
    this.#aggregation = aggregation;
    this.#documents = documents;
  }

  /** True while there is nothing to merge: then the server's own discovery is the whole. */
  get isEmpty(): boolean {
    return this.#aggregation.services().size === 0;
  }

  /** Changes with whatever is merged; `undefined` while other servers may tell something else at any time. */
  get steadyKey(): object | undefined {
    return this.#aggregation.isAlone ? this.#aggregation.services() : undefined;
  }

  /** All groups with the names of their versions. */
  groups(local: readonly GroupVersions[]): readonly GroupVersions[] {
    return mergeGroups(local, this.#aggregation.services().values(), this.#aggregation.all());
  }

  /** The document of aggregated discovery: this server's own with all others' versions in their places. */
  async list(own: JsonObject, local: readonly GroupVersions[]): Promise<JsonObject> {
    const services = this.#aggregation.services();
    const items = Array.isArray(own.items) ? own.items.filter(isJsonObject) : [];
    const merged = this.groups(local).map(async ({ group, versions }) => {
      const item = items.find(({ metadata }) => isJsonObject(metadata) && (metadata.name ?? "") === group);
      const known = Array.isArray(item?.versions) ? item.versions.filter(isJsonObject) : [];
      const all = versions.map(({ version }) => {
        const service = services.get(`${group}/${version}`);
        if (service !== undefined) return remoteVersion(service, this.#documents);
        return known.find((entry) => entry.version === version) ?? { version, resources: [], freshness: "Current" };
      });
      return { metadata: { name: group, creationTimestamp: null }, versions: await Promise.all(all) };
    });
    return { ...own, items: await Promise.all(merged) };
  }
}
