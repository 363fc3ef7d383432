import { isJsonObject, type JsonObject } from "@skiff/base";
import type { AggregatedService, BuiltInService } from "./aggregated-service.ts";
import { type Aggregation, discoveryPath } from "./aggregation.ts";
import type { RemoteDocuments } from "./remote-documents.ts";

const accept = "application/json";
const none: JsonObject = {};
const objectIn = (object: JsonObject, field: string): JsonObject => {
  const value = object[field];
  return isJsonObject(value) ? value : none;
};

/** The published descriptions of what other servers answer, merged into those of this one. */
export class MergedOpenApi {
  readonly #aggregation: Aggregation;
  readonly #documents: RemoteDocuments;

  constructor(aggregation: Aggregation, documents: RemoteDocuments) {
    this.#aggregation = aggregation;
    this.#documents = documents;
  }

  /** True while this server answers everything itself. */
  get isEmpty(): boolean {
    return this.#aggregation.isAlone;
  }

  /** The server that describes a group and version; `undefined` for this one. */
  find(group: string, version: string): AggregatedService | undefined {
    const service = this.#aggregation.find(group, version);
    return service?.builtIn === undefined ? service : undefined;
  }

  /** What this server answers in other servers' place. */
  builtIn(): readonly BuiltInService[] {
    return [...this.#aggregation.services().values()].flatMap(({ builtIn }) => builtIn ?? []);
  }

  /** The index of version 3: each server says itself where its parts are. */
  async index(own: JsonObject): Promise<JsonObject> {
    const paths = { ...objectIn(own, "paths") };
    for (const [service, remote] of await this.#all("/openapi/v3")) {
      const path = discoveryPath(service).slice(1);
      const entry = objectIn(remote, "paths")[path];
      if (entry !== undefined) paths[path] = entry;
    }
    return { ...own, paths };
  }

  /** The document of version 2. What both define is this server's. */
  async whole(own: JsonObject): Promise<JsonObject> {
    const paths = { ...objectIn(own, "paths") };
    const definitions = { ...objectIn(own, "definitions") };
    for (const [service, remote] of await this.#all("/openapi/v2")) {
      const root = discoveryPath(service);
      for (const [path, item] of Object.entries(objectIn(remote, "paths"))) {
        if (path.startsWith(`${root}/`)) paths[path] ??= item;
      }
      for (const [name, item] of Object.entries(objectIn(remote, "definitions"))) definitions[name] ??= item;
    }
    return { ...own, paths, definitions };
  }

  #all(path: string): Promise<readonly (readonly [AggregatedService, JsonObject])[]> {
    const services = [...this.#aggregation.services().values()].filter(({ builtIn }) => builtIn === undefined);
    return Promise.all(
      services.map(async (service): Promise<readonly [AggregatedService, JsonObject]> => {
        const { document } = await this.#documents.get(service, { path, accept });
        return [service, document?.json ?? none];
      }),
    );
  }
}
