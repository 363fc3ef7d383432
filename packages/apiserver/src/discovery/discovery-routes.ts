import { refusals } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { acceptedTypes, takes } from "../accept.ts";
import type { MergedDiscovery } from "../aggregation/merged-discovery.ts";
import type { Exchange } from "../contracts.ts";
import { methodNotAllowed } from "../http/serve-resource.ts";
import { answerDocument, type Document, documentOf } from "../respond-json.ts";
import type { PathRoute } from "../standard-parts-options.ts";
import { type AggregatedVersion, aggregatedList } from "./aggregated.ts";
import { type Catalog, CatalogCache } from "./catalog.ts";
import { coreVersions, groupDocument, groupList, resourceList } from "./resource-lists.ts";

const json = "application/json";

/** Whether the client asks for all groups at once, and in which version; `plain` where it does not. */
export function wantedForm(accept: string | undefined): AggregatedVersion | "plain" {
  for (const accepted of acceptedTypes(accept)) {
    if (!takes(accepted, json)) continue;
    const { as, g, v } = accepted.parameters;
    if (as === undefined) return "plain";
    if (as !== "APIGroupDiscoveryList" || g !== "apidiscovery.k8s.io") continue;
    if (v === "v2" || v === "v2beta1") return v;
  }
  const onlyProtobuf = accept?.includes("protobuf") === true && !accept.includes("json") && !accept.includes("*/*");
  if (onlyProtobuf) throw refusals.notAcceptable(`only the following media types are accepted: ${json}`);
  return "plain";
}

const aggregatedType = (version: AggregatedVersion): string =>
  `${json};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

/** The paths of discovery: `/api`, `/apis` and what is between them and resources. */
export function discoveryRoutes(
  catalog: Catalog,
  serverAddress: string,
  others?: MergedDiscovery,
): readonly PathRoute[] {
  const documents = new CatalogCache<Document>(catalog);
  const cached = (key: string, make: () => JsonObject): Document => documents.get(key, () => documentOf(make()));
  /** Merged documents by form, kept while nothing changes in what they are made of. */
  let mergedNow = { groups: catalog.groups(), of: {}, documents: new Map<string, Document>() };
  const mergedDocuments = (merged: MergedDiscovery): Map<string, Document> | undefined => {
    const of = merged.steadyKey;
    if (of === undefined) return undefined;
    const groups = catalog.groups();
    if (mergedNow.of !== of || mergedNow.groups !== groups) mergedNow = { groups, of, documents: new Map() };
    return mergedNow.documents;
  };
  const root = async (exchange: Exchange, core: boolean): Promise<void> => {
    const form = wantedForm(exchange.headers.accept);
    const groups = catalog.groups();
    if (!core && others?.isEmpty === false) {
      const type = form === "plain" ? json : aggregatedType(form);
      const kept = mergedDocuments(others);
      const known = kept?.get(form);
      if (known !== undefined) return answerDocument(exchange, known, type);
      const local = groups.filter(({ group }) => group !== "");
      const list =
        form === "plain" ? groupList(others.groups(groups)) : await others.list(aggregatedList(local, form), local);
      const document = documentOf(list);
      kept?.set(form, document);
      return answerDocument(exchange, document, type);
    }
    if (form === "plain") {
      const document = core
        ? cached("/api", () => coreVersions(serverAddress))
        : cached("/apis", () => groupList(groups));
      answerDocument(exchange, document, json);
      return;
    }
    const wanted = groups.filter(({ group }) => (group === "") === core);
    const document = cached(`${core ? "/api" : "/apis"} ${form}`, () => aggregatedList(wanted, form));
    answerDocument(exchange, document, aggregatedType(form));
  };
  const version = (exchange: Exchange, group: string, name: string): void => {
    const found = catalog.find(group, name);
    if (found === undefined) throw refusals.noSuchPath();
    answerDocument(
      exchange,
      cached(`${group}/${name}`, () => resourceList(group, found)),
      json,
    );
  };
  const handle = async (exchange: Exchange): Promise<void> => {
    const [, top = "", first, second, ...rest] = exchange.path.replace(/\/+$/, "").split("/");
    if (rest.length > 0 || (top === "api" && second !== undefined)) throw refusals.noSuchPath();
    if (exchange.method !== "GET" && exchange.method !== "HEAD") {
      throw methodNotAllowed();
    }
    if (first === undefined) await root(exchange, top === "api");
    else if (top === "api") version(exchange, "", first);
    else if (second !== undefined) version(exchange, first, second);
    else {
      if (others?.isEmpty === false) {
        const merged = others.groups(catalog.groups()).find((item) => item.group === first);
        if (merged !== undefined) return answerDocument(exchange, documentOf(groupDocument(merged)), json);
      }
      const group = catalog.groups().find((item) => item.group === first);
      if (group === undefined || first === "") throw refusals.noSuchPath();
      answerDocument(
        exchange,
        cached(`group ${first}`, () => groupDocument(group)),
        json,
      );
    }
  };
  return [
    { path: "/api", match: "prefix", handle },
    { path: "/apis", match: "prefix", handle },
  ];
}
