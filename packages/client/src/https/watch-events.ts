import type { WatchEvent } from "@skiff/api";
import { isJsonObject } from "@skiff/base";

const lineEnd = 0x0a;
/** A line that is longer is no event. */
const lineLimitBytes = 64 * 1024 * 1024;

/** The events of a watch's body: one JSON object a line. A last line without its end was cut off and is left out. */
export async function* watchEvents(body: AsyncIterable<Buffer>): AsyncGenerator<WatchEvent> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of body) {
    let rest = chunk;
    for (let end = rest.indexOf(lineEnd); end >= 0; end = rest.indexOf(lineEnd)) {
      const line = Buffer.concat([...pending, rest.subarray(0, end)]).toString("utf8");
      pending = [];
      pendingBytes = 0;
      rest = rest.subarray(end + 1);
      if (line.trim() !== "") yield eventOf(JSON.parse(line));
    }
    pending.push(rest);
    pendingBytes += rest.length;
    if (pendingBytes > lineLimitBytes) throw new Error(`an event is longer than ${lineLimitBytes} bytes`);
  }
}

const types: readonly unknown[] = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"];

function eventOf(value: unknown): WatchEvent {
  if (!isWatchEvent(value)) throw new Error("a line of the watch is no event");
  return value;
}

const isWatchEvent = (value: unknown): value is WatchEvent =>
  isJsonObject(value) && types.includes(value.type) && isJsonObject(value.object);
