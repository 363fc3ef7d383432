import { apiVersionOf, type DescribedResource, type Descriptions, openApiV2, openApiV3, refusals } from "@skiff/api";
import { acceptedTypes, takes } from "../accept.ts";
import type { BuiltInService } from "../aggregation/aggregated-service.ts";
import type { Aggregation } from "../aggregation/aggregation.ts";
import type { MergedOpenApi } from "../aggregation/merged-openapi.ts";
import type { Exchange } from "../contracts.ts";
import { type Catalog, CatalogCache, type CatalogVersion } from "../discovery/catalog.ts";
import { answerDocument, type Document, documentOf, encodedDocument } from "../respond-json.ts";
import type { PathRoute } from "../standard-parts-options.ts";
import { gnosticDocument } from "./gnostic-document.ts";

const json = "application/json";

const gnostic = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/** What every client of Go asks for, though it is no media type by the letter: the answer bears the name that is one. */
const gnosticDeprecated = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/** The form that the client likes best of `offered`; the first of them where it likes several alike. 406 where it takes none. */
function wantedType(exchange: Exchange, offered: readonly string[]): string {
  for (const accepted of acceptedTypes(exchange.headers.accept)) {
    const wanted = offered.find((type) => takes(accepted, type));
    if (wanted !== undefined) return wanted;
  }
  throw refusals.notAcceptable(`only the following media types are accepted: ${offered.join(", ")}`);
}

const pathOf = (group: string, version: string): string =>
  group === "" ? `api/${version}` : `apis/${apiVersionOf({ group, version })}`;

const published = ({ resources }: CatalogVersion) => resources.filter(({ unpublished }) => unpublished !== true);
const isPublished = (version: CatalogVersion): boolean => published(version).length > 0;

/** The published description of the API: version 2 in one document, version 3 in one a group and version. */
export function openApiRoutes(
  catalog: Catalog,
  gitVersion: string,
  others?: { readonly merged: MergedOpenApi; readonly aggregation: Aggregation },
  descriptions?: () => Promise<Descriptions | undefined>,
): readonly PathRoute[] {
  /** What fields are for is read when somebody first asks for version 3. */
  let prose: Promise<Descriptions | undefined> | undefined;
  let described: Descriptions | undefined;
  const documents = new CatalogCache<Document>(catalog);
  /** Made anew in each form: most clients want only one of them, and what it is made of is far larger than either. */
  const builtIn = () => others?.merged.builtIn() ?? [];
  const allResources = (): readonly DescribedResource[] => [
    ...catalog.groups().flatMap(({ versions }) => versions.flatMap(published)),
    ...builtIn().flatMap((service) => service.resources),
  ];
  const whole = (type: string): Document =>
    documents.get(`v2 ${type} ${builtIn().length}`, () => {
      const resources = allResources();
      const document = openApiV2(resources, gitVersion);
      return type === json ? documentOf(document) : encodedDocument(gnosticDocument(document));
    });
  const mergedNow = (): MergedOpenApi | undefined => (others?.merged.isEmpty === false ? others.merged : undefined);
  /** The same with what other servers answer: these change without notice, so it is made for each who asks. */
  const wholeWithOthers = async (merged: MergedOpenApi, type: string): Promise<Document> => {
    const resources = allResources();
    const document = await merged.whole(openApiV2(resources, gitVersion));
    return type === json ? documentOf(document) : encodedDocument(gnosticDocument(document));
  };
  /** Kept for as long as a version is as it is, whatever becomes of others. */
  const parts = new WeakMap<CatalogVersion, Document>();
  const part = (version: CatalogVersion): Document => {
    const known = parts.get(version);
    if (known !== undefined) return known;
    const made = documentOf(openApiV3(published(version), gitVersion, described));
    parts.set(version, made);
    return made;
  };
  /** The index carries the hash of each part, so that clients keep parts for good: it needs all of them. */
  const index = (): Document => documents.get(`v3 ${builtIn().length}`, () => documentOf(indexOf()));
  const builtInParts = new WeakMap<BuiltInService, Document>();
  const builtInPart = (service: BuiltInService): Document => {
    const made = builtInParts.get(service) ?? documentOf(openApiV3(service.resources, gitVersion, described));
    builtInParts.set(service, made);
    return made;
  };
  const indexOf = () => {
    const entry = (path: string, { etag }: Document): [string, { serverRelativeURL: string }] => [
      path,
      { serverRelativeURL: `/openapi/v3/${path}?hash=${etag.replaceAll('"', "")}` },
    ];
    const paths = catalog
      .groups()
      .flatMap(({ group, versions }) =>
        versions.filter(isPublished).map((version) => entry(pathOf(group, version.version), part(version))),
      );
    const more = builtIn().map((service) => entry(pathOf(service.group, service.version), builtInPart(service)));
    return { paths: Object.fromEntries([...paths, ...more]) };
  };
  const answerPart = (exchange: Exchange, path: string): void => {
    const [top, ...rest] = path.split("/");
    const [group = "", version = ""] = top === "api" ? ["", rest[0]] : rest;
    const found = catalog.find(group, version);
    const service = builtIn().find((one) => one.group === group && one.version === version);
    const isKnown = service !== undefined || (found !== undefined && isPublished(found));
    if (!isKnown || pathOf(group, version) !== path) throw refusals.noSuchPath();
    const document = service === undefined ? found && part(found) : builtInPart(service);
    if (document === undefined) throw refusals.noSuchPath();
    const hash = exchange.query.get("hash");
    if (hash !== null && `"${hash}"` === document.etag) {
      exchange.setHeader("cache-control", "public, immutable");
      exchange.setHeader("expires", new Date(farFutureMs).toUTCString());
    } else if (hash !== null) {
      exchange.setHeader("location", `/openapi/v3/${path}?hash=${document.etag.replaceAll('"', "")}`);
      exchange.respond({ status: 301, contentType: json, body: "" });
      return;
    }
    answerDocument(exchange, document, json);
  };
  return [
    {
      path: "/openapi/v2",
      match: "exact",
      async handle(exchange) {
        const merged = mergedNow();
        const wanted = wantedType(exchange, [json, gnosticDeprecated, gnostic]);
        const type = wanted === json ? json : gnostic;
        const document = merged === undefined ? whole(type) : await wholeWithOthers(merged, type);
        answerDocument(exchange, document, type);
      },
    },
    {
      path: "/openapi/v3",
      match: "prefix",
      async handle(exchange, info, user) {
        const path = exchange.path.replace(/\/+$/, "").slice("/openapi/v3/".length);
        wantedType(exchange, [json]);
        prose ??= descriptions?.();
        described ??= await prose;
        const [, group = "", version = ""] = path.split("/");
        const elsewhere = others?.merged.find(group, version);
        const merged = mergedNow();
        if (others !== undefined && elsewhere !== undefined)
          await others.aggregation.pass(exchange, elsewhere, { user, info });
        else if (path !== "") answerPart(exchange, path);
        else if (merged === undefined) answerDocument(exchange, index(), json);
        else answerDocument(exchange, documentOf(await merged.index(indexOf())), json);
      },
    },
  ];
}

const farFutureMs = Date.UTC(2100, 0, 1);
