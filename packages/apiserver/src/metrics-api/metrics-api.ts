import { metricsMessage, metricsResources, type ResourceDefinition, refusals } from "@skiff/api";
import { Background, type JsonObject } from "@skiff/base";
import type { BuiltInService } from "../aggregation/aggregated-service.ts";
import type { Exchange, RequestInfo } from "../contracts.ts";
import { type AlsoServed, negotiate } from "../encoding/negotiate.ts";
import { asJson } from "../encoding/object-json.ts";
import { includedObject } from "../http/respond-object.ts";
import { respondValue } from "../http/respond-value.ts";
import { methodNotAllowed } from "../http/serve-resource.ts";
import { parseRequest } from "../routing/request-info.ts";
import { partialObject } from "../table/table.ts";
import { noQuery, type Query } from "../verbs/query.ts";
import { selectorsOf } from "../verbs/selection.ts";
import { type Measured, MetricsObjects, metricsApiVersion, metricsGroup, metricsVersion } from "./metrics-objects.ts";
import { metricsTable } from "./metrics-table.ts";
import { UsageHistory } from "./usage-history.ts";
import { type ScrapeOptions, scrapeEveryMs, scrapeUsage } from "./usage-scraper.ts";

type Wanted =
  | { readonly kind: "document"; readonly value: JsonObject }
  | { readonly kind: "one"; readonly item: Measured }
  | { readonly kind: "list"; readonly listKind: string; readonly items: readonly Measured[] };

const scopes: Readonly<Record<string, Pick<ResourceDefinition, "scope" | "selectableFields"> & { kind: string }>> = {
  nodes: { scope: "cluster", selectableFields: [], kind: "NodeMetrics" },
  pods: { scope: "namespaced", selectableFields: [], kind: "PodMetrics" },
};

const discovery: JsonObject = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: metricsApiVersion,
  resources: Object.entries(scopes).map(([name, { scope, kind }]) => ({
    name,
    singularName: "",
    namespaced: scope === "namespaced",
    kind,
    verbs: ["get", "list"],
  })),
};

const also: AlsoServed = { protobuf: true };

/**
 * The API of metrics-server, answered by this server itself until somebody registers another server for it.
 * https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
 */
export class MetricsApi implements BuiltInService, AsyncDisposable {
  readonly group = metricsGroup;
  readonly version = metricsVersion;
  readonly resources = metricsResources;
  readonly #objects: MetricsObjects;
  readonly #background: Background;

  /** Nodes are asked from now on, until it is disposed of. */
  constructor(options: Omit<ScrapeOptions, "history">) {
    const history = new UsageHistory(scrapeEveryMs);
    this.#objects = new MetricsObjects({ ...options, history });
    this.#background = new Background(options);
    this.#background.run("measuring nodes", (signal) => scrapeUsage({ ...options, history }, signal));
  }

  async serve(exchange: Exchange, info: RequestInfo): Promise<void> {
    const wanted = negotiate(exchange.headers.accept, also);
    const found = this.#find(info, exchange.query);
    const { metaVersion, form } = wanted;
    const answer = (json: JsonObject) => {
      const value = wanted.format === "protobuf" ? metricsMessage(json) : json;
      respondValue(exchange, { status: 200, wanted, value });
    };
    if (found.kind === "document" || form === "object") return answer(plain(found));
    const items = found.kind === "one" ? [found.item] : found.items;
    if (form === "table") return answer(metricsTable(items, { include: includedObject(exchange), metaVersion }));
    if (found.kind === "one") return answer(partialObject(found.item, metaVersion));
    answer({
      kind: "PartialObjectMetadataList",
      apiVersion: `meta.k8s.io/${metaVersion}`,
      metadata: {},
      items: items.map((item) => partialObject(item, metaVersion)),
    });
  }

  read(url: string): JsonObject {
    const [path = "", text] = url.split("?");
    const query = text === undefined ? undefined : new URLSearchParams(text);
    return plain(this.#find(parseRequest({ method: "GET", path: decodeURI(path), query }), query ?? noQuery));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#background[Symbol.asyncDispose]();
  }

  #find(info: RequestInfo, query: Query): Wanted {
    if (info.kind === "path") {
      if (info.verb !== "get" && info.verb !== "head") throw methodNotAllowed();
      return { kind: "document", value: discovery };
    }
    const { verb, plural, namespace, name = "", subresource } = info;
    const resource = scopes[plural];
    const misplaced =
      resource?.scope === "cluster" ? namespace !== undefined : verb === "get" && namespace === undefined;
    if (resource === undefined || subresource !== undefined || misplaced) throw refusals.noSuchPath();
    if (verb === "get") {
      return {
        kind: "one",
        item: plural === "nodes" ? this.#objects.node(name) : this.#objects.pod({ namespace, name }),
      };
    }
    if (verb === "watch") throw refusals.methodNotAllowed({ group: metricsGroup, kind: plural }, "watch");
    if (verb !== "list") throw methodNotAllowed();
    const { labels, fields } = selectorsOf(resource, query);
    const selection = {
      namespace,
      labels,
      matches: ({ name, namespace = "" }: { readonly name: string; readonly namespace?: string | undefined }) =>
        fields?.matches((field) => (field === "metadata.name" ? name : namespace)) ?? true,
    };
    const items = plural === "nodes" ? this.#objects.nodes(selection) : this.#objects.pods(selection);
    return { kind: "list", listKind: `${resource.kind}List`, items };
  }
}

function plain(found: Wanted): JsonObject {
  if (found.kind === "document") return found.value;
  if (found.kind === "one") return asJson(found.item);
  // Items of a list do not say again what they are.
  const items = found.items.map(({ kind: _kind, apiVersion: _version, ...item }) => asJson(item));
  return { kind: found.listKind, apiVersion: metricsApiVersion, metadata: {}, items };
}
