import { encodeMessage, type KubeObject, messageOf } from "@skiff/api";
import { assert, assertNever, deepFreeze, parseJson } from "@skiff/base";
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
  #origin: Origin;
  #object: KubeObject | undefined;
  #metadataAt = -1;
  #message: Buffer | undefined;

  private constructor(revision: number, origin: Origin, object?: KubeObject) {
    this.revision = revision;
    this.#origin = origin;
    this.#object = object;
  }

  /**
   * From what the store holds: JSON without a resourceVersion, which is put in front of the other metadata. `object` is the
   * same state as a value, where the caller has it; neither may be changed afterwards. Without it the bytes are the caller's again
   * when this returns.
   */
  static fromStored(stored: Uint8Array, revision: number, object?: KubeObject): ServedObject {
    if (object === undefined) return new ServedObject(revision, { kind: "json", json: withVersion(stored, revision) });
    object.metadata.resourceVersion = String(revision);
    return new ServedObject(revision, { kind: "stored", bytes: stored }, object);
  }

  /** From a value that has its resourceVersion already (or none, in a dry run). It must not be changed afterwards. */
  static fromObject(object: KubeObject, revision: number): ServedObject {
    return new ServedObject(revision, { kind: "value" }, object);
  }

  /** Frozen: it is shared with everybody who asks. */
  get object(): KubeObject {
    this.#object ??= this.#value();
    return deepFreeze(this.#object);
  }

  /** The whole object in JSON, `kind` and `apiVersion` first. */
  get json(): Buffer {
    if (this.#origin.kind !== "json") this.#origin = { kind: "json", json: this.#bytes(this.#origin) };
    return this.#origin.json;
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
    return new ServedObject(revision, { kind: "earlier", state: this });
  }

  #value(): KubeObject {
    if (this.#origin.kind !== "earlier") return asObject(parseJson(this.json.toString("utf8")));
    const { object } = this.#origin.state;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.revision) } };
  }

  #bytes(origin: Exclude<Origin, { readonly kind: "json" }>): Buffer {
    switch (origin.kind) {
      case "stored":
        return withVersion(origin.bytes, this.revision);
      case "earlier":
        return otherVersion(origin.state, this.revision);
      case "value":
        return Buffer.from(objectText(this.object));
      default:
        return assertNever(origin);
    }
  }
}

/**
 * What a state's JSON is, or is made from: bytes of the store, an earlier state of the same content, nothing but its value.
 * Components in this process look at most states without anybody asking for the JSON, which is not made before.
 */
type Origin =
  | { readonly kind: "json"; readonly json: Buffer }
  | { readonly kind: "stored"; readonly bytes: Uint8Array }
  | { readonly kind: "earlier"; readonly state: ServedObject }
  | { readonly kind: "value" };

function writtenMessage(object: KubeObject): Buffer {
  const message = messageOf(object.apiVersion ?? "", object.kind ?? "");
  assert(message !== undefined, `${object.kind} of ${object.apiVersion} has no message`);
  const written = encodeMessage(asJson(object), message);
  // What is written lies at the end of a larger buffer, which would live as long.
  const own = Buffer.allocUnsafeSlow(written.length);
  written.copy(own);
  return own;
}

function otherVersion({ json, metadataAt }: ServedObject, revision: number): Buffer {
  const versionAt = json.indexOf(versionMember, metadataAt);
  const digitsAt = versionAt + versionMember.length;
  const digitsEnd = json.indexOf('"', digitsAt);
  return Buffer.concat([json.subarray(0, digitsAt), Buffer.from(String(revision)), json.subarray(digitsEnd)]);
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
