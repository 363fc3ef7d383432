import { deepCopy, isJsonObject, type JsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import { refusals } from "../status-error.ts";
import { unprocessable } from "./rejection.ts";

const mostOperations = 10_000;
/** What `copy` operations may add up to, in characters of JSON: patches must not be able to blow an object up. */
const mostCopied = 3 * 1024 * 1024;

/**
 * Applies a JSON patch (RFC 6902) and returns the new value; `target` is not changed. Throws `StatusError`: 400 when the patch is
 * not one, 413 for more than 10,000 operations, 422 when an operation (or its `test`) fails, as Kubernetes answers each.
 */
export function applyJsonPatch(target: JsonValue, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch)) {
    const shown = patch === null || typeof patch !== "object" ? typeof patch : "object";
    throw refusals.badRequest(`json: cannot unmarshal ${shown} into Go value of type jsonpatch.Patch`);
  }
  if (patch.length > mostOperations) {
    throw refusals.tooLarge(`The allowed maximum operations in a JSON patch is ${mostOperations}, got ${patch.length}`);
  }
  const document = new Document(deepCopy(target));
  for (const operation of patch) {
    if (!isJsonObject(operation)) {
      throw refusals.badRequest("json: cannot unmarshal array into Go value of type jsonpatch.Operation");
    }
    document.apply(operation);
  }
  return document.root;
}

class FailedTest extends Error {
  override readonly name = "FailedTest";
}

/** True for what `applyJsonPatch` throws where one of the patch's own tests does not hold. */
export const isFailedTest = (error: unknown): boolean => error instanceof Error && error.cause instanceof FailedTest;

/** A place in a document: the container and the last step of the pointer to it. */
interface Place {
  readonly container: JsonValue[] | JsonObject;
  readonly key: string;
}

class Document {
  root: JsonValue;
  #copied = 0;

  constructor(root: JsonValue) {
    this.root = root;
  }

  apply(operation: JsonObject): void {
    const { op } = operation;
    const path = pointerOf(operation.path, `${String(op)} operation`);
    switch (op) {
      case "add":
        this.#add(path, givenValue(operation));
        return;
      case "remove":
        this.#remove(path);
        return;
      case "replace":
        this.#replace(path, givenValue(operation));
        return;
      case "move": {
        const from = pointerOf(operation.from, "move operation");
        if (path.length > from.length && from.every((step, index) => step === path[index])) {
          throw unprocessable("move operation: a value cannot be moved into itself");
        }
        this.#add(path, this.#remove(from));
        return;
      }
      case "copy":
        this.#copy(pointerOf(operation.from, "copy operation"), path);
        return;
      case "test":
        this.#test(path, operation.value ?? null);
        return;
      default:
        throw unprocessable(`Unexpected kind: ${String(op)}`);
    }
  }

  #add(path: readonly string[], value: JsonValue): void {
    const place = this.#placeOf(path);
    if (place === undefined) {
      this.root = value;
      return;
    }
    const { container, key } = place;
    if (Array.isArray(container)) container.splice(indexIn(container, key, container.length), 0, value);
    else setMember(container, key, value);
  }

  #remove(path: readonly string[]): JsonValue {
    const place = this.#placeOf(path);
    if (place === undefined) throw unprocessable("remove operation does not apply: doc is missing path");
    const removed = memberAt(place);
    if (removed === undefined) throw unprocessable(`Unable to remove nonexistent key: ${place.key}`);
    if (Array.isArray(place.container))
      place.container.splice(indexIn(place.container, place.key, place.container.length - 1), 1);
    else delete place.container[place.key];
    return removed;
  }

  #replace(path: readonly string[], value: JsonValue): void {
    const place = this.#placeOf(path);
    if (place === undefined) {
      this.root = value;
      return;
    }
    const { container, key } = place;
    if (memberAt(place) === undefined) {
      throw unprocessable(`replace operation does not apply: doc is missing key: ${key}`);
    }
    if (Array.isArray(container)) container[indexIn(container, key, container.length - 1)] = value;
    else setMember(container, key, value);
  }

  #copy(from: readonly string[], to: readonly string[]): void {
    const value = this.#at(from);
    if (value === undefined) throw unprocessable(`copy operation does not apply: doc is missing from path`);
    this.#copied += JSON.stringify(value).length;
    if (this.#copied > mostCopied) {
      throw unprocessable(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${mostCopied}`,
      );
    }
    this.#add(to, deepCopy(value));
  }

  #test(path: readonly string[], expected: JsonValue): void {
    const actual = this.#at(path);
    if (jsonEqual(actual ?? null, expected)) return;
    const why = `testing value /${path.join("/")} failed`;
    const refusal = unprocessable(why);
    refusal.cause = new FailedTest(why);
    throw refusal;
  }

  #at(path: readonly string[]): JsonValue | undefined {
    const place = this.#placeOf(path);
    return place === undefined ? this.root : memberAt(place);
  }

  /** `undefined` for the document itself. */
  #placeOf(path: readonly string[]): Place | undefined {
    const key = path.at(-1);
    if (key === undefined) return undefined;
    let container: JsonValue = this.root;
    for (const step of path.slice(0, -1)) {
      const next: JsonValue | undefined = isContainer(container) ? memberAt({ container, key: step }) : undefined;
      if (next === undefined) throw missing(path);
      container = next;
    }
    if (!isContainer(container)) throw missing(path);
    return { container, key };
  }
}

const missing = (path: readonly string[]) =>
  unprocessable(`operation does not apply: doc is missing path: /${path.join("/")}`);

const isContainer = (value: JsonValue): value is JsonValue[] | JsonObject =>
  typeof value === "object" && value !== null;

function memberAt({ container, key }: Place): JsonValue | undefined {
  if (!Array.isArray(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  return /^(?:0|-?[1-9][0-9]*)$/.test(key) ? container.at(Number(key)) : undefined;
}

/** Also for names like `__proto__`, which a plain assignment would not make a member of. */
function setMember(container: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
}

/** An index up to `last`; `-` is after the last item, negative ones count from the end. */
function indexIn(container: readonly JsonValue[], key: string, last: number): number {
  if (key === "-") return container.length;
  const index = /^(?:0|-?[1-9][0-9]{0,9})$/.test(key) ? Number(key) : Number.NaN;
  const counted = index < 0 ? index + last + 1 : index;
  if (Number.isNaN(counted) || counted < 0 || counted > last) {
    throw unprocessable(`Unable to access invalid index: ${key}`);
  }
  return counted;
}

function givenValue(operation: JsonObject): JsonValue {
  return deepCopy(operation.value ?? null);
}

/** `/a~1b/0` → `["a/b", "0"]`. */
function pointerOf(pointer: JsonValue | undefined, operation: string): readonly string[] {
  if (typeof pointer !== "string") throw unprocessable(`${operation} failed: missing path`);
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) throw unprocessable(`${operation} does not apply: doc is missing path: ${pointer}`);
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}
