import {
  apiVersionOf,
  encodeEnvelope,
  encodeProtobufList,
  fieldError,
  fieldErrorText,
  type KubeObject,
  protobufMediaType,
  refusals,
} from "@skiff/api";
import { assert, isJsonObject, type JsonObject, parseJson } from "@skiff/base";
import type { ServedObject } from "../cache/served-object.ts";
import type { Exchange } from "../contracts.ts";
import { listBody, listMetadata } from "../encoding/list-body.ts";
import type { Negotiated } from "../encoding/negotiate.ts";
import { asJson } from "../encoding/object-json.ts";
import type { BaseExchange } from "../exchange/base-exchange.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { type IncludeObject, partialObject, type TableOptions, tableOf } from "../table/table.ts";
import type { ObjectList } from "../verbs/list.ts";
import { isPretty, respondValue } from "./respond-value.ts";

/** Answers with one object, in the form that the client asked for. */
export function respondObject(
  exchange: BaseExchange,
  storage: ObjectStorage,
  answer: { readonly status: number; readonly served: ServedObject; readonly wanted: Negotiated },
): void {
  const { status, served, wanted } = answer;
  if (wanted.form === "object" && wanted.format === "json" && !isPretty(exchange, wanted)) {
    exchange.respond({ status, contentType: "application/json", body: served.json });
    return;
  }
  const { object } = served;
  if (wanted.form === "object" && wanted.format === "protobuf") {
    exchange.respond({ status, contentType: protobufMediaType, body: encodeEnvelope(served.message, object) });
    return;
  }
  if (wanted.form === "metadataList") {
    const what = goType(storage, storage.resource.kind);
    throw refusals.notAcceptable(
      `you requested PartialObjectMetadataList, but the requested object is not a list (${what})`,
    );
  }
  const value = shaped(object, wanted, () => tableOptions(exchange, storage, wanted));
  respondValue(exchange, { status, wanted, value });
}

/** Answers with a list, in the form that the client asked for. */
export function respondList(
  exchange: BaseExchange,
  storage: ObjectStorage,
  { list, wanted }: { readonly list: ObjectList; readonly wanted: Negotiated },
): void {
  const { resource } = storage;
  const { form, format } = wanted;
  if (form === "object" && format === "json" && !isPretty(exchange, wanted)) {
    exchange.respond({ status: 200, contentType: "application/json", body: listBody(resource, list) });
    return;
  }
  if (form === "object" && format === "protobuf") {
    const type = { apiVersion: apiVersionOf(resource), kind: resource.listKind };
    const messages = list.items.map(({ message }) => message);
    const body = encodeProtobufList(listMetadata(list), messages, type);
    exchange.respond({ status: 200, contentType: protobufMediaType, body });
    return;
  }
  if (form === "metadata") {
    const what = goType(storage, resource.listKind);
    throw refusals.notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${what})`);
  }
  respondValue(exchange, { status: 200, wanted, value: listValue(exchange, storage, { list, wanted }) });
}

function listValue(
  exchange: BaseExchange,
  storage: ObjectStorage,
  { list, wanted }: { readonly list: ObjectList; readonly wanted: Negotiated },
): JsonObject {
  if (wanted.form === "object") return listObject(listBody(storage.resource, list).toString("utf8"));
  const objects = list.items.map(({ object }) => object);
  const metadata = listMetadata(list);
  if (wanted.form === "table") return tableOf(objects, metadata, tableOptions(exchange, storage, wanted));
  const apiVersion = `meta.k8s.io/${wanted.metaVersion}`;
  const items = objects.map((object) => partialObject(object, wanted.metaVersion));
  return { kind: "PartialObjectMetadataList", apiVersion, metadata, items };
}

function listObject(text: string): JsonObject {
  const value = parseJson(text);
  assert(isJsonObject(value), "a list is an object");
  return value;
}

/** As the original's refusals call a type: `*core.PodList`. */
const goType = ({ resource: { group } }: ObjectStorage, kind: string): string =>
  `*${group === "" ? "core" : group.split(".")[0]}.${kind}`;

/** An object as the client asked for it: itself, a table of one row, or its metadata. */
export function shaped(object: KubeObject, wanted: Negotiated, table: () => TableOptions): JsonObject {
  if (wanted.form === "object") return asJson(object);
  if (wanted.form !== "table") return partialObject(object, wanted.metaVersion);
  const { resourceVersion } = object.metadata;
  return tableOf([object], { resourceVersion }, table());
}

/** How tables of a resource are made for a client. Throws 400 where it asks for what there is not. */
export function tableOptions(exchange: BaseExchange, storage: ObjectStorage, wanted: Negotiated): TableOptions {
  const { resource, environment } = storage;
  return {
    resource,
    include: includedObject(exchange),
    metaVersion: wanted.metaVersion,
    context: { nowMs: environment.clock.now() },
  };
}

/** How much of the objects the rows of a table carry. Throws 400 where the query asks for what there is not. */
export function includedObject({ query }: Pick<Exchange, "query">): IncludeObject {
  const text = query.get("includeObject") ?? "";
  if (text === "") return "Metadata";
  if (text === "None" || text === "Metadata" || text === "Object") return text;
  const error = fieldError.invalid("includeObject", text, "must be 'Metadata', 'Object', 'None', or empty");
  throw refusals.badRequest(`Unable to convert to Table as requested: ${fieldErrorText(error)}`);
}
