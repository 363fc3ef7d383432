import { deepCopy, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { fieldError } from "../field-error.ts";
import { conformObject, type Decoded, type FieldValidation, parseBody, strictDecodingError } from "../schema/decode.ts";
import { DecodeFailure } from "../schema/decode-failure.ts";
import { duplicateMembers, membersInText } from "../schema/duplicate-keys.ts";
import { jsonTypeName } from "../schema/go-names.ts";
import type { StructSchema } from "../schema/schema.ts";
import { refusals, type StatusError } from "../status-error.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { goText } from "./rejection.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

/** A patch of any kind but apply, read. */
export interface ParsedPatch {
  readonly type: "json" | "merge" | "strategic";
  readonly value: JsonValue;
  /** Fields that it says twice, and operations' members that there are not. */
  readonly strictErrors: readonly string[];
}

/**
 * Reads the body of a patch. Throws `StatusError` (400) for bodies that are none, worded as Kubernetes words them: a strict reader
 * and a lenient one say different things.
 */
export function parsePatch(type: ParsedPatch["type"], text: string, fieldValidation: FieldValidation): ParsedPatch {
  const strict = fieldValidation !== "Ignore";
  const prefix = type === "strategic" || !strict ? "" : "error decoding patch: ";
  const value = parsed(text, prefix);
  const wanted = type !== "json" ? "map[string]interface {}" : strict ? "[]handlers.jsonPatchOp" : "jsonpatch.Patch";
  if (type === "json" ? !Array.isArray(value) : !isJsonObject(value)) {
    throw refusals.badRequest(`${prefix}json: cannot unmarshal ${jsonTypeName(value)} into Go value of type ${wanted}`);
  }
  if (!strict) return { type, value, strictErrors: [] };
  return { type, value, strictErrors: type === "json" ? wrongMembers(text, value) : duplicatesIn(text, value) };
}

function parsed(text: string, prefix: string): JsonValue {
  try {
    return parseBody(text, "json").value;
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    throw refusals.badRequest(prefix + error.message.replace("couldn't get version/kind; json parse error: ", ""));
  }
}

const duplicatesIn = (text: string, patch: JsonValue): readonly string[] =>
  duplicateMembers(text, patch).map((path) => `duplicate field ${JSON.stringify(path)}`);

const operationMembers: ReadonlySet<string> = new Set(["op", "path", "from", "value"]);

function wrongMembers(text: string, patch: JsonValue): readonly string[] {
  const unknown = Array.isArray(patch) && patch.some((one) => isJsonObject(one) && hasUnknownMember(one));
  if (!unknown && duplicateMembers(text, patch).length === 0) return [];
  const wrong = membersInText(text).flatMap(({ path, duplicate }) => {
    const name = /^\[\d+\]\.([^.[\]]+)$/.exec(path)?.[1];
    if (name !== undefined && !operationMembers.has(name)) return [`json patch unknown field ${JSON.stringify(path)}`];
    return duplicate ? [`json patch duplicate field ${JSON.stringify(path)}`] : [];
  });
  return [...new Set(wrong)];
}

const hasUnknownMember = (operation: JsonObject): boolean =>
  Object.keys(operation).some((name) => !operationMembers.has(name));

/** What is patched, with what. */
export interface PatchRequest {
  /** What is stored, in the version that is patched. Not changed. */
  readonly current: JsonObject;
  readonly patch: ParsedPatch;
  readonly schema: StructSchema;
  readonly fieldValidation: FieldValidation;
}

/**
 * Carries out a patch and brings the outcome into the form of its schema: a new object of its own. Throws `StatusError` as
 * Kubernetes answers: 422 for patches that do not apply or whose outcome cannot be decoded (with `Strict`, also for unknown and
 * duplicate fields).
 */
export function patchedObject({ current, patch, schema, fieldValidation }: PatchRequest): Decoded {
  // What the patch leaves alone is shared with `current`: frozen, as that is stored, it is taken as it is.
  const patched = merged(current, patch, schema);
  // What is refused is shown: the outcome, or for strategic merge patches the patch.
  const shown = (): string => (patch.type === "strategic" ? goText(patch.value) : JSON.stringify(patched));
  if (!isJsonObject(patched)) {
    throw refused(shown(), "json: cannot unmarshal into Go value of type map[string]interface {}");
  }
  // Conforming changes the value, and what is shown is as it was before that.
  const before = fieldValidation === "Strict" ? shown() : undefined;
  try {
    const { value: conformed, strictErrors } = conformObject(patched, schema);
    const value = deepCopy(conformed);
    if (fieldValidation === "Ignore") return { value, strictErrors: [] };
    const all = [...patch.strictErrors, ...strictErrors];
    if (fieldValidation === "Strict" && all.length > 0) throw refused(before ?? shown(), strictDecodingError(all));
    return { value, strictErrors: all };
  } catch (error) {
    if (error instanceof DecodeFailure) throw refused(before ?? shown(), error.message);
    throw error;
  }
}

function merged(current: JsonObject, { type, value }: ParsedPatch, schema: StructSchema): JsonValue {
  if (type === "json") return applyJsonPatch(current, value);
  if (type === "merge") return applyMergePatch(current, value);
  return isJsonObject(value) ? applyStrategicMergePatch(current, value, schema) : current;
}

const refused = (shown: string, why: string): StatusError =>
  refusals.invalid({ group: "", kind: "", name: "" }, [fieldError.invalid("patch", shown, why)]);
