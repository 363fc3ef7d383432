import type { JsonObject } from "@skiff/base";
import { negotiate } from "../encoding/negotiate.ts";
import type { WatchEncoding } from "../watch/http-watch.ts";
import { shaped } from "./respond-object.ts";
import type { ResourceCall } from "./serve-resource.ts";

/** How the events of a watch are written for this client. Plain JSON is shared by all who watch. */
export function watchEncoding(call: ResourceCall): WatchEncoding {
  const { exchange, storage, encoder } = call;
  const wanted = negotiate(exchange.headers.accept);
  if (wanted.form === "object") {
    return { contentType: "application/json", event: (type, served) => encoder.encode(type, served) };
  }
  const apiVersion = `meta.k8s.io/${wanted.metaVersion}`;
  return {
    contentType: "application/json",
    event(type, { object }) {
      return Buffer.from(`${JSON.stringify({ type, object: shaped(exchange, storage, object, wanted) })}\n`);
    },
    bookmark({ metadata }): JsonObject {
      if (wanted.form === "metadata") return { kind: "PartialObjectMetadata", apiVersion, metadata };
      return { kind: "Table", apiVersion, metadata, columnDefinitions: [], rows: [] };
    },
  };
}
