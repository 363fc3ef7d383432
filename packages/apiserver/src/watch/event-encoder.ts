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

/** Makes the line that a watch sends for an event, once for all watchers of it. */
export class EventEncoder {
  readonly #recent: Encoded[] = [];

  encode(type: ChangeType, served: ServedObject): Buffer {
    for (const known of this.#recent) if (known.served === served && known.type === type) return known.bytes;
    const bytes = Buffer.concat([heads[type], served.json, tail]);
    if (this.#recent.unshift({ type, served, bytes }) > remembered) this.#recent.pop();
    return bytes;
  }
}
