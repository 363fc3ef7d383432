import { encodeMessage, type KubeObject, messageOf } from "@skiff/api";
import { assert, deepFreeze, parseJson } from "@skiff/base";
import { asJson, asObject, objectText } from "../encoding/object-json.ts";

const metadataMember = Buffer.from('"metadata":{');
const versionMember = '"resourceVersion":"';

/**
 * One state of one object, as bytes, as a frozen value, or both: each form is made from the other when first asked for.
 * Reads over HTTP need the bytes only, components in this process the value only.
 */
export class ServedObject {
  /** The store's revision that made this state; 0 for one that was never stored (a dry run). */
  readonly revision: number;
  #json: Buffer | undefined;
  #object: KubeObject | undefined;
  #metadataAt = -1;
  #message: Buffer | undefined;

  private constructor(revision: number, json: Buffer | undefined, object: KubeObject | undefined) {
    this.revision = revision;
    this.#json = json;
    this.#object = object;
  }

  /**
   * From what the store holds: JSON without a resourceVersion, which is put in front of the other metadata. `object` is the
   * same state as a value, where the caller has it; it must not be changed afterwards.
   */
  static fromStored(stored: Uint8Array, revision: number, object?: KubeObject): ServedObject {
    if (object !== undefined) object.metadata.resourceVersion = String(revision);
    return new ServedObject(revision, withVersion(stored, revision), object);
  }

  /** From a value that has its resourceVersion already (or none, in a dry run). It must not be changed afterwards. */
  static fromObject(object: KubeObject, revision: number): ServedObject {
    return new ServedObject(revision, undefined, object);
  }

  /** Frozen: it is shared with everybody who asks. */
  get object(): KubeObject {
    if (this.#object === undefined) this.#object = asObject(parseJson(this.json.toString("utf8")));
    return deepFreeze(this.#object);
  }

  /** The whole object in JSON, `kind` and `apiVersion` first. */
  get json(): Buffer {
    this.#json ??= Buffer.from(objectText(this.object));
    return this.#json;
  }

  /**
   * The object's message in protobuf, without an envelope. It must be of a built-in kind. Kept: most states that one client asks
   * for in protobuf are asked for again, in lists above all.
   */
  get message(): Buffer {
    this.#message ??= writtenMessage(this.object);
    return this.#message;
  }

  /** Where `"metadata"` begins in `json`: an item of a list is `{` and everything from there on. */
  get metadataAt(): number {
    if (this.#metadataAt === -1) this.#metadataAt = this.json.indexOf(metadataMember);
    return this.#metadataAt;
  }

  /** The same content as of another revision: what a DELETED event shows. */
  at(revision: number): ServedObject {
    const json = this.json;
    const versionAt = json.indexOf(versionMember, this.metadataAt);
    const digitsAt = versionAt + versionMember.length;
    const digitsEnd = json.indexOf('"', digitsAt);
    const parts = [json.subarray(0, digitsAt), Buffer.from(String(revision)), json.subarray(digitsEnd)];
    return new ServedObject(revision, Buffer.concat(parts), undefined);
  }
}

function writtenMessage(object: KubeObject): Buffer {
  const message = messageOf(object.apiVersion ?? "", object.kind ?? "");
  assert(message !== undefined, `${object.kind} of ${object.apiVersion} has no message`);
  const written = encodeMessage(asJson(object), message);
  // What is written lies at the end of a larger buffer, which would live as long.
  const own = Buffer.allocUnsafeSlow(written.length);
  written.copy(own);
  return own;
}

function withVersion(stored: Uint8Array, revision: number): Buffer {
  const source = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const splitAt = source.indexOf(metadataMember) + metadataMember.length;
  const version = `${versionMember}${revision}",`;
  // A buffer of its own: one from the pool would keep the whole pool alive for as long as the object lives.
  const json = Buffer.allocUnsafeSlow(source.length + version.length);
  source.copy(json, 0, 0, splitAt);
  json.write(version, splitAt, "latin1");
  source.copy(json, splitAt + version.length, splitAt);
  return json;
}
