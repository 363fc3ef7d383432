import { deepCopy, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { fieldError } from "../field-error.ts";
import { conformObject, type Decoded, type FieldValidation, parseBody, strictDecodingError } from "../schema/decode.ts";
import { DecodeFailure } from "../schema/decode-failure.ts";
import { countMembers, countMembersInText, membersInText } from "../schema/duplicate-keys.ts";
import type { StructSchema } from "../schema/schema.ts";
import { parseYamlBody } from "../schema/yaml-body.ts";
import { refusals, type StatusError } from "../status-error.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { goText } from "./rejection.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

export interface PatchRequest {
  /** What is stored, in the version that is patched. Not changed. */
  readonly current: JsonObject;
  readonly type: "json" | "merge" | "strategic";
  /** The request's body. */
  readonly text: string;
  readonly schema: StructSchema;
  readonly fieldValidation: FieldValidation;
}

/**
 * Carries out a patch of any kind but apply: reads the body, patches, and brings the outcome into the form of its schema. The
 * value is a new object of its own. Throws `StatusError` as Kubernetes answers: 400 for bodies that are no patch, 422 for patches
 * that do not apply or whose outcome cannot be decoded (with `Strict`, also for unknown and duplicate fields).
 */
export function patchObject(request: PatchRequest): Decoded {
  const { current, type, text, schema, fieldValidation } = request;
  const patch = parsePatch(text);
  const duplicates = type === "json" || fieldValidation === "Ignore" ? [] : duplicatesIn(text, patch);
  const patched = type === "json" ? applyJsonPatch(current, patch) : deepCopy(merged(request, patch));
  // What is refused is shown: the outcome, or for strategic merge patches the patch.
  const shown = type === "strategic" ? goText(patch) : JSON.stringify(patched);
  if (!isJsonObject(patched))
    throw refused(shown, "json: cannot unmarshal into Go value of type map[string]interface {}");
  try {
    const { value, strictErrors } = conformObject(patched, schema);
    const all = fieldValidation === "Ignore" ? [] : [...duplicates, ...strictErrors];
    if (fieldValidation === "Strict" && all.length > 0) throw refused(shown, strictDecodingError(all));
    return { value, strictErrors: all };
  } catch (error) {
    if (error instanceof DecodeFailure) throw refused(shown, error.message);
    throw error;
  }
}

function merged({ current, type, schema }: PatchRequest, patch: JsonValue): JsonValue {
  if (type === "merge") return applyMergePatch(current, patch);
  if (isJsonObject(patch)) return applyStrategicMergePatch(current, patch, schema);
  throw refusals.badRequest("json: cannot unmarshal array into Go value of type map[string]interface {}");
}

function parsePatch(text: string): JsonValue {
  try {
    return parseBody(text, "json").value;
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    throw refusals.badRequest(error.message.replace("couldn't get version/kind; json parse error: ", ""));
  }
}

const refused = (shown: string, why: string): StatusError =>
  refusals.invalid({ group: "", kind: "", name: "" }, [fieldError.invalid("patch", shown, why)]);

function duplicatesIn(text: string, patch: JsonValue): string[] {
  if (countMembersInText(text) === countMembers(patch)) return [];
  const paths = new Set(
    membersInText(text)
      .filter((member) => member.duplicate)
      .map((member) => member.path),
  );
  return [...paths].map((path) => `duplicate field ${JSON.stringify(path)}`);
}

/**
 * Reads the body of an apply request, which is YAML or JSON. `strictErrors` are keys that are said twice; unknown fields are found
 * by applying. Throws `StatusError` (400).
 */
export function parseConfiguration(text: string, fieldValidation: FieldValidation): Decoded {
  try {
    const { value, duplicates } = configurationBody(text, fieldValidation);
    if (!isJsonObject(value))
      throw new DecodeFailure("json: cannot unmarshal into Go value of type map[string]interface {}");
    if (duplicates === undefined || fieldValidation === "Ignore") return { value, strictErrors: [] };
    if (fieldValidation === "Warn") return { value, strictErrors: [duplicates] };
    throw refusals.badRequest(`error strict decoding YAML: error converting YAML to JSON: ${duplicates}`);
  } catch (error) {
    if (error instanceof DecodeFailure) throw refusals.badRequest(`error decoding YAML: ${error.message}`);
    throw error;
  }
}

/** JSON is read as such, unless it says a key twice: only the YAML reader tells where. */
function configurationBody(text: string, fieldValidation: FieldValidation): ReturnType<typeof parseYamlBody> {
  const body = parseBody(text, "yaml");
  const isJson = text.trimStart().startsWith("{");
  if (!isJson || fieldValidation === "Ignore" || body.duplicates !== undefined) return body;
  return duplicatesIn(text, body.value).length === 0 ? body : parseYamlBody(text);
}
