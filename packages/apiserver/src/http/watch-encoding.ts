import { encodeProtobuf, encodeWatchFrame, protobufWatchMediaType } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { type Negotiated, negotiate } from "../encoding/negotiate.ts";
import { alsoServed } from "../encoding/protobuf/also-served.ts";
import type { WatchEncoding } from "../watch/http-watch.ts";
import { shaped } from "./respond-object.ts";
import type { ResourceCall } from "./serve-resource.ts";

/** Frames instead of lines. Whole objects are written once for all who watch. */
function protobufEncoding({ exchange, storage, encoder }: ResourceCall, wanted: Negotiated): WatchEncoding {
  const isWhole = wanted.form === "object";
  const frame = (type: string, object: JsonObject) => encodeWatchFrame(type, encodeProtobuf(object));
  return {
    contentType: protobufWatchMediaType,
    event: (type, served) =>
      isWhole ? encoder.encodeProtobuf(type, served) : frame(type, shaped(exchange, storage, served.object, wanted)),
    frame,
    bookmark: (object) =>
      isWhole
        ? object
        : {
            kind: "PartialObjectMetadata",
            apiVersion: `meta.k8s.io/${wanted.metaVersion}`,
            metadata: object.metadata ?? {},
          },
  };
}

/** How the events of a watch are written for this client. Plain JSON is shared by all who watch. */
export function watchEncoding(call: ResourceCall): WatchEncoding {
  const { exchange, storage, encoder } = call;
  const wanted = negotiate(exchange.headers.accept, alsoServed(storage));
  if (wanted.format === "protobuf") return protobufEncoding(call, wanted);
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
