import { encodeEnvelope, encodeWatchFrame } from "@skiff/api";
import type { ServedObject } from "../cache/served-object.ts";
import type { ChangeType } from "./watch-source.ts";

interface Encoded {
  readonly type: ChangeType;
  readonly served: ServedObject;
  readonly bytes: Buffer;
}

const tail = Buffer.from("}\n");
const heads: Readonly<Record<ChangeType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

/** All watchers hear of one event before the next, so that the newest few are all that is worth remembering. */
const remembered = 4;

/** Makes what a watch sends for an event, once for all watchers of it. */
export class EventEncoder {
  readonly #lines: Encoded[] = [];
  readonly #frames: Encoded[] = [];

  /** A line of JSON. */
  encode(type: ChangeType, served: ServedObject): Buffer {
    return once(this.#lines, { type, served }, () => Buffer.concat([heads[type], served.json, tail]));
  }

  /** A frame of protobuf. The object must be of a built-in kind. */
  encodeProtobuf(type: ChangeType, served: ServedObject): Buffer {
    return once(this.#frames, { type, served }, () =>
      encodeWatchFrame(type, encodeEnvelope(served.message, served.object)),
    );
  }
}

function once(recent: Encoded[], event: Pick<Encoded, "type" | "served">, encode: () => Buffer): Buffer {
  for (const known of recent) if (known.served === event.served && known.type === event.type) return known.bytes;
  const bytes = encode();
  if (recent.unshift({ ...event, bytes }) > remembered) recent.pop();
  return bytes;
}
