import { encodeProtobuf, encodeWatchFrame, protobufWatchMediaType } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { type Negotiated, negotiate } from "../encoding/negotiate.ts";
import { asJson } from "../encoding/object-json.ts";
import { alsoStreamed } from "../encoding/protobuf/also-served.ts";
import { bookmarkTable } from "../table/table.ts";
import type { Bookmark } from "../watch/bookmark-object.ts";
import type { WatchEncoding } from "../watch/http-watch.ts";
import { shaped, tableOptions } from "./respond-object.ts";
import type { ResourceCall } from "./serve-resource.ts";

/** Frames instead of lines. Whole objects are written once for all who watch. */
function protobufEncoding({ encoder }: ResourceCall, { object, bookmark, isWhole }: Shapes): WatchEncoding {
  const frame = (type: string, shape: JsonObject) => encodeWatchFrame(type, encodeProtobuf(shape));
  return {
    contentType: protobufWatchMediaType,
    event: (type, served) => (isWhole ? encoder.encodeProtobuf(type, served) : frame(type, object(served.object))),
    frame,
    bookmark,
  };
}

/** What a watch's objects are shown as. */
interface Shapes {
  readonly isWhole: boolean;
  object(object: Parameters<typeof shaped>[0]): JsonObject;
  bookmark(object: Bookmark): JsonObject;
}

function shapesOf({ exchange, storage }: ResourceCall, wanted: Negotiated): Shapes {
  if (wanted.form === "object") {
    return { isWhole: true, object: asJson, bookmark: (object) => object };
  }
  const apiVersion = `meta.k8s.io/${wanted.metaVersion}`;
  if (wanted.form !== "table") {
    return {
      isWhole: false,
      object: (object) => shaped(object, wanted, () => tableOptions(exchange, storage, wanted)),
      bookmark: ({ metadata }) => ({ kind: "PartialObjectMetadata", apiVersion, metadata }),
    };
  }
  const table = tableOptions(exchange, storage, wanted);
  // The columns are told once.
  let told = false;
  const once = (shape: JsonObject): JsonObject => {
    if (told) return { ...shape, columnDefinitions: null };
    told = true;
    return shape;
  };
  return {
    isWhole: false,
    object: (object) =>
      once(shaped(object, wanted, () => ({ ...table, context: { nowMs: storage.environment.clock.now() } }))),
    bookmark: (object) => once(bookmarkTable(object, table)),
  };
}

/** How the events of a watch are written for this client. Plain JSON is shared by all who watch. */
export function watchEncoding(call: ResourceCall): WatchEncoding {
  const { exchange, storage, encoder } = call;
  const wanted = negotiate(exchange.headers.accept, alsoStreamed(storage));
  const shapes = shapesOf(call, wanted);
  if (wanted.format === "protobuf") return protobufEncoding(call, shapes);
  if (shapes.isWhole) {
    return { contentType: "application/json", event: (type, served) => encoder.encode(type, served) };
  }
  return {
    contentType: "application/json",
    event: (type, { object }) => Buffer.from(`${JSON.stringify({ type, object: shapes.object(object) })}\n`),
    bookmark: (object) => shapes.bookmark(object),
  };
}
