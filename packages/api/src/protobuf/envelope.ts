import { assert, type JsonObject } from "@skiff/base";
import { DecodeFailure } from "../schema/decode-failure.ts";
import { envelopeMark, MessageDecoder } from "./decode-message.ts";
import { writeMessage } from "./encode-message.ts";
import { findMessage } from "./message-table.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/**
 * Objects in protobuf stand in an envelope: the bytes `k8s\0`, then a message with `apiVersion` and `kind` (1), the object's own
 * message (2) and the encoding and type of its content (3, 4), which are empty for protobuf.
 *
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export const protobufMediaType = "application/vnd.kubernetes.protobuf";

/** What an envelope says before one looks into it. Empty texts where it says nothing. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Buffer;
}

/** Takes an envelope off. Throws `DecodeFailure` for bytes that are none. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length === 0) throw new DecodeFailure("empty data");
  const marked = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!marked.subarray(0, envelopeMark.length).equals(envelopeMark)) {
    throw new DecodeFailure("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  if (bytes.length === envelopeMark.length) throw new DecodeFailure("empty body");
  const reader = new WireReader(marked, envelopeMark.length);
  let [apiVersion, kind] = ["", ""];
  let raw: Buffer = Buffer.alloc(0);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire !== 2) reader.skip(wire);
    else if (number === 1) {
      const typeMeta = reader.message();
      while (!typeMeta.done) {
        const tag = typeMeta.tag();
        if (tag.number === 1 && tag.wire === 2) apiVersion = typeMeta.string();
        else if (tag.number === 2 && tag.wire === 2) kind = typeMeta.string();
        else typeMeta.skip(tag.wire);
      }
    } else if (number === 2) raw = reader.bytes();
    else reader.skip(wire);
  }
  return { apiVersion, kind, raw };
}

/** Groups whose messages are not named by what stands before the first dot. */
const unusualGroups: ReadonlyMap<string, string> = new Map([
  ["", "core"],
  ["internal.apiserver.k8s.io", "apiserverinternal"],
]);

/**
 * Short name of the message of a kind, or `undefined` when there is none: it is a custom resource. Options, `Status` and the like
 * carry the version of the resource they are about, and are one message for all.
 *
 * @example messageOf("rbac.authorization.k8s.io/v1", "Role") // "rbac.v1.Role"
 */
export function messageOf(apiVersion: string, kind: string): string | undefined {
  const slash = apiVersion.indexOf("/");
  const group = slash === -1 ? "" : apiVersion.slice(0, slash);
  const place =
    unusualGroups.get(group) ?? (group.endsWith(".k8s.io") || !group.includes(".") ? group.split(".")[0] : "");
  const own = `${place}.${apiVersion.slice(slash + 1)}.${kind}`;
  if (findMessage(own) !== undefined) return own;
  const meta = `meta.v1.${kind}`;
  return findMessage(meta) === undefined ? undefined : meta;
}

const decoder = (depth = 0): MessageDecoder =>
  new MessageDecoder((bytes, outer) => decodeAt(bytes, outer).object, depth);

/** An object that was in an envelope. */
export interface DecodedProtobuf {
  readonly apiVersion: string;
  readonly kind: string;
  /** The object as JSON would have it, with `apiVersion` and `kind`. */
  readonly object: JsonObject;
}

/** Reads an object of any built-in kind. Throws `DecodeFailure` for bytes that cannot be read, and for kinds nobody knows. */
export const decodeProtobuf = (bytes: Uint8Array): DecodedProtobuf => decodeAt(bytes, 0);

function decodeAt(bytes: Uint8Array, depth: number): DecodedProtobuf {
  const envelope = openEnvelope(bytes);
  const { apiVersion, kind } = envelope;
  const message = messageOf(apiVersion, kind);
  if (message === undefined) throw new DecodeFailure(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, object: decodeEnveloped(envelope, { message, depth }) };
}

/** Reads what was in an envelope as the given message. Throws `DecodeFailure`. */
export function decodeEnveloped(
  { apiVersion, kind, raw }: Envelope,
  { message, depth = 0 }: { readonly message: string; readonly depth?: number },
): JsonObject {
  return decoder(depth).into({ kind, apiVersion }, message, new WireReader(raw));
}

/** Reads a message that stands without an envelope, by its short name (`meta.v1.DeleteOptions`). Throws `DecodeFailure`. */
export const decodeMessage = (bytes: Uint8Array, message: string): JsonObject =>
  decoder().into({}, message, new WireReader(bytes));

/** Writes a message without an envelope, by its short name. */
export function encodeMessage(object: JsonObject, message: string): Buffer {
  const writer = new WireWriter();
  writeMessage(writer, message, object);
  return writer.finish();
}

/**
 * Writes an object in its envelope. `apiVersion` and `kind` are the object's own; they tell the message too, where it is not
 * given. Asserts that there is one: ask `messageOf` before.
 */
export function encodeProtobuf(object: JsonObject, message?: string): Buffer {
  const apiVersion = typeof object.apiVersion === "string" ? object.apiVersion : "";
  const kind = typeof object.kind === "string" ? object.kind : "";
  const name = message ?? messageOf(apiVersion, kind);
  assert(name !== undefined, `${kind} of ${apiVersion} has no message`);
  const writer = new WireWriter();
  beginEnvelope(writer);
  const before = writer.size;
  writeMessage(writer, name, object);
  return endEnvelope(writer, before, { apiVersion, kind });
}

/** Puts a message that is written already (`encodeMessage`) into its envelope. */
export function encodeEnvelope(message: Uint8Array, type: TypeMeta): Buffer {
  const writer = new WireWriter(message.length + 128);
  beginEnvelope(writer);
  const before = writer.size;
  writer.raw(message);
  return endEnvelope(writer, before, type);
}

/** Writes a list whose items are written already, each without an envelope: all lists are alike but for their type. */
export function encodeProtobufList(metadata: JsonObject, items: readonly Uint8Array[], type: TypeMeta): Buffer {
  const writer = new WireWriter(items.reduce((bytes, item) => bytes + item.length + 6, 512));
  beginEnvelope(writer);
  const before = writer.size;
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index];
    if (item !== undefined) writer.bytes(2, item);
  }
  const afterItems = writer.size;
  writeMessage(writer, "meta.v1.ListMeta", metadata);
  writer.lengthOf(1, writer.size - afterItems);
  return endEnvelope(writer, before, type);
}

/** What an envelope says of the message in it. */
export interface TypeMeta {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
}

/** What comes last is written first. */
function beginEnvelope(writer: WireWriter): void {
  writer.string(4, "");
  writer.string(3, "");
}

function endEnvelope(writer: WireWriter, before: number, { apiVersion = "", kind = "" }: TypeMeta): Buffer {
  writer.lengthOf(2, writer.size - before);
  const afterRaw = writer.size;
  writer.string(2, kind);
  writer.string(1, apiVersion);
  writer.lengthOf(1, writer.size - afterRaw);
  writer.raw(envelopeMark);
  return writer.finish();
}
