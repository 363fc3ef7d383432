import {
  apiVersionOf,
  encodeEnvelope,
  encodeProtobuf,
  encodeProtobufList,
  type KubeObject,
  protobufMediaType,
} from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { stringify } from "yaml";
import type { ServedObject } from "../cache/served-object.ts";
import { listBody, listMetadata } from "../encoding/list-body.ts";
import { type Negotiated, negotiate } from "../encoding/negotiate.ts";
import { asJson } from "../encoding/object-json.ts";
import { alsoServed } from "../encoding/protobuf/also-served.ts";
import type { BaseExchange } from "../exchange/base-exchange.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { type IncludeObject, partialObject, type TableOptions, tableOf } from "../table/table.ts";
import type { ObjectList } from "../verbs/list.ts";
import { flag } from "../verbs/query.ts";

/** Programs that people look at: without being asked to, the server indents what these get. */
const forPeople = /^(?:curl|Wget|Mozilla\/5\.0)/;

/** Answers with one object, in the form that the client asked for. */
export function respondObject(
  exchange: BaseExchange,
  storage: ObjectStorage,
  answer: { readonly status: number; readonly served: ServedObject },
): void {
  const { status, served } = answer;
  const wanted = negotiate(exchange.headers.accept, alsoServed(storage));
  if (wanted.form === "object" && wanted.format === "json" && !isPretty(exchange)) {
    exchange.respond({ status, contentType: "application/json", body: served.json });
    return;
  }
  const { object } = served;
  if (wanted.form === "object" && wanted.format === "protobuf") {
    exchange.respond({ status, contentType: protobufMediaType, body: encodeEnvelope(served.message, object) });
    return;
  }
  respondJson(exchange, { status, wanted, value: () => shaped(exchange, storage, object, wanted) });
}

/** Answers with a list, in the form that the client asked for. */
export function respondList(exchange: BaseExchange, storage: ObjectStorage, list: ObjectList): void {
  const { resource } = storage;
  const wanted = negotiate(exchange.headers.accept, alsoServed(storage));
  if (wanted.form === "object" && wanted.format === "json" && !isPretty(exchange)) {
    exchange.respond({ status: 200, contentType: "application/json", body: listBody(resource, list) });
    return;
  }
  if (wanted.form === "object" && wanted.format === "protobuf") {
    const type = { apiVersion: apiVersionOf(resource), kind: resource.listKind };
    const messages = list.items.map(({ message }) => message);
    const body = encodeProtobufList(listMetadata(list), messages, type);
    exchange.respond({ status: 200, contentType: protobufMediaType, body });
    return;
  }
  const value = () => {
    const objects = list.items.map(({ object }) => object);
    const metadata = listMetadata(list);
    if (wanted.form === "table") return tableOf(objects, metadata, tableOptions(exchange, storage, wanted));
    if (wanted.form === "object") return asJson(JSON.parse(listBody(resource, list).toString("utf8")));
    const apiVersion = `meta.k8s.io/${wanted.metaVersion}`;
    const items = objects.map((object) => partialObject(object, wanted.metaVersion));
    return { kind: "PartialObjectMetadataList", apiVersion, metadata, items };
  };
  respondJson(exchange, { status: 200, wanted, value });
}

/** An object as the client asked for it: itself, a table of one row, or its metadata. */
export function shaped(
  exchange: BaseExchange,
  storage: ObjectStorage,
  object: KubeObject,
  wanted: Negotiated,
): JsonObject {
  if (wanted.form === "object") return asJson(object);
  if (wanted.form === "metadata") return partialObject(object, wanted.metaVersion);
  const { resourceVersion } = object.metadata;
  return tableOf([object], { resourceVersion }, tableOptions(exchange, storage, wanted));
}

function tableOptions(exchange: BaseExchange, storage: ObjectStorage, wanted: Negotiated): TableOptions {
  const include = exchange.query.get("includeObject");
  const { resource, environment } = storage;
  return {
    resource,
    include: isInclude(include) ? include : "Metadata",
    metaVersion: wanted.metaVersion,
    context: { nowMs: environment.clock.now() },
  };
}

const isInclude = (text: string | null): text is IncludeObject =>
  text === "None" || text === "Metadata" || text === "Object";

function isPretty(exchange: BaseExchange): boolean {
  if (exchange.hasQuery) {
    const asked = flag(exchange.query, "pretty");
    if (asked !== undefined) return asked;
  }
  return forPeople.test(exchange.headers["user-agent"] ?? "");
}

/** Answers with a value as JSON, YAML or protobuf. */
export function respondJson(
  exchange: BaseExchange,
  answer: { readonly status: number; readonly wanted: Negotiated; readonly value: () => JsonObject },
): void {
  const { status, wanted } = answer;
  const value = answer.value();
  if (wanted.format === "protobuf") {
    exchange.respond({ status, contentType: protobufMediaType, body: encodeProtobuf(value) });
    return;
  }
  if (wanted.format === "yaml") {
    exchange.respond({ status, contentType: "application/yaml", body: stringify(value) });
    return;
  }
  const body = isPretty(exchange) ? `${JSON.stringify(value, null, 2)}\n` : JSON.stringify(value);
  exchange.respond({ status, contentType: "application/json", body });
}
