import { DecodeFailure } from "../schema/decode-failure.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/** The `Content-Type` of a watch in protobuf. */
export const protobufWatchMediaType = "application/vnd.kubernetes.protobuf;stream=watch";

/**
 * One event of a watch: a length of four bytes, high byte first, then a message with the event's type (1) and its object (2),
 * whose bytes (1) are an envelope.
 */
export function encodeWatchFrame(type: string, envelope: Uint8Array): Buffer {
  const writer = new WireWriter(envelope.length + 64);
  writer.bytes(1, envelope);
  writer.lengthOf(2, writer.size);
  writer.string(1, type);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(writer.size);
  writer.raw(length);
  return writer.finish();
}

/** An event whose object is still in its envelope. */
export interface WatchFrame {
  readonly type: string;
  readonly envelope: Buffer;
}

/** A frame may not be longer than this: the original's clients read no more either. */
const longestFrame = 16 * 1024 * 1024;

/** Takes the complete frames off the beginning of a stream; `rest` is what must be put before the next bytes. Throws `DecodeFailure`. */
export function decodeWatchFrames(bytes: Buffer): { readonly frames: readonly WatchFrame[]; readonly rest: Buffer } {
  const frames: WatchFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 4) {
    const length = bytes.readUInt32BE(at);
    if (length > longestFrame) throw new DecodeFailure("object to decode was longer than maximum allowed size");
    if (bytes.length - at - 4 < length) break;
    frames.push(frameOf(new WireReader(bytes, at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return { frames, rest: bytes.subarray(at) };
}

function frameOf(reader: WireReader): WatchFrame {
  let type = "";
  let envelope: Buffer = Buffer.alloc(0);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 2) type = reader.string();
    else if (number === 2 && wire === 2) envelope = rawOf(reader.message()) ?? envelope;
    else reader.skip(wire);
  }
  return { type, envelope };
}

function rawOf(reader: WireReader): Buffer | undefined {
  let raw: Buffer | undefined;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 2) raw = reader.bytes();
    else reader.skip(wire);
  }
  return raw;
}
