import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@skiff/base";
import { refusals } from "../status-error.ts";
import { conform, deepestNesting } from "./conform.ts";
import { DecodeFailure } from "./decode-failure.ts";
import { countMembers, countMembersInText, membersInText, nestingOf } from "./duplicate-keys.ts";
import { jsonTypeName } from "./go-names.ts";
import type { StructSchema } from "./schema.ts";
import { parseYamlBody } from "./yaml-body.ts";

/** The query parameter `fieldValidation`. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** What a request body is decoded as. */
export interface DecodeRequest {
  readonly text: string;
  readonly format: "json" | "yaml";
  readonly schema: StructSchema;
  /** Where given, an `apiVersion` of another group or version is refused. Empty for the core group. */
  readonly group?: string | undefined;
  readonly version: string;
  /** Named in refusals: `Deployment in version "v1" cannot be handled as a Deployment: …`. */
  readonly kind: string;
  /** With `Ignore` no strict errors are looked for. */
  readonly fieldValidation: FieldValidation;
}

export interface Decoded {
  readonly value: JsonObject;
  /** Unknown and duplicate fields, as in `unknown field "spec.foo"`. With `Warn` each becomes a warning. */
  readonly strictErrors: readonly string[];
}

/** Beyond this many strict errors a body is refused for these alone. */
const mostStrictErrors = 100;

/**
 * Reads a request's body: structure checked against the schema, unknown fields dropped, nulls dropped as Kubernetes drops
 * them, quantities and times in canonical form; `apiVersion` and `kind` filled in. Throws `StatusError` (400) when the body does
 * not fit, and with `Strict` also when there are strict errors.
 */
export function decodeObject(request: DecodeRequest): Decoded {
  const body = parseObject(request);
  const kind = body.value.kind ?? "";
  const apiVersion = body.value.apiVersion ?? "";
  checkKindIsSaid(request, kind);
  checkBodyPlace(request, apiVersion, kind);
  const shownKind = typeof kind === "string" && kind !== "" ? kind : request.kind;
  const refuse = (why: string) =>
    refusals.badRequest(`${shownKind} in version "${request.version}" cannot be handled as a ${request.kind}: ${why}`);
  try {
    const strictErrors = conformBody(body, request);
    if (request.fieldValidation === "Strict" && strictErrors.length > 0)
      throw refuse(strictDecodingError(strictErrors));
    if (kind === "") body.value.kind = request.kind;
    if (apiVersion === "" && request.group !== undefined) body.value.apiVersion = apiVersionText(request);
    return { value: body.value, strictErrors };
  } catch (error) {
    if (error instanceof DecodeFailure) throw refuse(error.message);
    throw error;
  }
}

/** Custom resources are read as what they say they are: one that does not say it is refused. */
function checkKindIsSaid({ schema, text, kind: expected }: DecodeRequest, kind: JsonValue): void {
  if (schema.definition !== "" || kind !== "") return;
  const why = `Object 'Kind' is missing in '${text}'`;
  throw refusals.badRequest(
    `the object provided is unrecognized (must be of type ${expected}): ${why} (${summary(text)})`,
  );
}

/** The message of strict decoding: `strict decoding error: unknown field "spec.foo", duplicate field "spec.bar"`. */
export const strictDecodingError = (errors: readonly string[]): string => `strict decoding error: ${errors.join(", ")}`;

/**
 * Brings an object that is already parsed (a patched one, one that a webhook answered) into the form of its schema. Takes `value`
 * over and changes it in place. Throws `DecodeFailure`.
 */
export function conformObject(value: JsonObject, schema: StructSchema): Decoded {
  return { value, strictErrors: conform(value, schema).map(unknownField) };
}

const unknownField = (path: string): string => `unknown field ${JSON.stringify(path)}`;
const duplicateField = (path: string): string => `duplicate field ${JSON.stringify(path)}`;

interface Body extends ParsedBody {
  readonly value: JsonObject;
}

function parseObject({ text, format, kind }: DecodeRequest): Body {
  const refuse = (why: string) =>
    refusals.badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(text)})`);
  try {
    const { value, duplicates, isJson } = parseBody(text, format);
    // `null`, and YAML without anything in it, is an object that says nothing.
    if (value === null) return { value: {}, duplicates, isJson };
    if (isJsonObject(value)) return { value, duplicates, isJson };
    throw new DecodeFailure(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonTypeName(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  } catch (error) {
    if (error instanceof DecodeFailure) throw refuse(error.message);
    throw error;
  }
}

/** A body that is parsed, without any schema. */
export interface ParsedBody {
  readonly value: JsonValue;
  /** Keys said twice, where the body was read as YAML. */
  readonly duplicates: string | undefined;
  /** The text is valid JSON, whatever it was said to be: only such texts can be looked through for members written twice. */
  readonly isJson: boolean;
}

/** Parses JSON or YAML without any schema. Throws `DecodeFailure`. */
export function parseBody(text: string, format: "json" | "yaml"): ParsedBody {
  if (format === "yaml" && !text.trimStart().startsWith("{")) return { ...parseYamlBody(text), isJson: false };
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (error) {
    if (format === "yaml") return { ...parseYamlBody(text), isJson: false };
    throw new DecodeFailure(`couldn't get version/kind; json parse error: ${syntaxMessage(text, error)}`);
  }
  // What is deeper would exhaust the stack of whatever walks it.
  if (nestingOf(text) > deepestNesting) throw new DecodeFailure("exceeded max depth");
  return { value: halfCharacter.test(text) ? wellFormed(value) : value, duplicates: undefined, isJson: true };
}

/** Where half a character may be written: of those that JSON escapes in two parts. */
const halfCharacter = /\\u[dD][89a-fA-F]/;

/** Half characters are no text that could be stored: they become what stands for what cannot be read. */
function wellFormed(value: JsonValue): JsonValue {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(
    ([key, member]) => [key.toWellFormed(), wellFormed(member ?? null)] as const,
  );
  return Object.fromEntries(members);
}

/** The decoder's words for what `JSON.parse` found. */
function syntaxMessage(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  if (text.trim() === "" || /end of JSON input|Unterminated/.test(message)) return "unexpected end of JSON input";
  const position = /position (\d+)/.exec(message)?.[1];
  const at = position === undefined ? Math.max(0, text.search(/\S/)) : Number(position);
  return at >= text.length
    ? "unexpected end of JSON input"
    : `invalid character '${text.charAt(at)}' looking for beginning of value`;
}

/** Refuses (400) a body that says that it is of another version or kind than the resource. Empty texts say nothing. */
export function checkBodyPlace(
  request: Pick<DecodeRequest, "group" | "version" | "kind">,
  apiVersion: unknown,
  kind: unknown,
): void {
  if (request.group === undefined || typeof apiVersion !== "string" || typeof kind !== "string") return;
  const expected = apiVersionText(request);
  if (apiVersion !== "" && apiVersion !== expected) {
    throw refusals.badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  if (kind !== "" && kind !== request.kind) {
    throw refusals.badRequest(
      `${kind} in version "${request.version}" cannot be handled as a ${request.kind}: no kind "${kind}" is registered for this resource`,
    );
  }
}

const apiVersionText = ({ group, version }: Pick<DecodeRequest, "group" | "version">): string =>
  group === undefined || group === "" ? version : `${group}/${version}`;

function conformBody(body: Body, request: DecodeRequest): readonly string[] {
  const { text, schema, fieldValidation } = request;
  const looks = fieldValidation !== "Ignore";
  // Before conforming, which drops members.
  const written = looks && body.isJson && hasDuplicates(body, text) ? membersInText(text) : [];
  const unknown = conform(body.value, schema);
  if (!looks) return [];
  const yaml = body.duplicates === undefined ? [] : [body.duplicates];
  if (written.length === 0) return limited([...yaml, ...unknown.map(unknownField)]);
  const duplicates = new Set(written.filter((member) => member.duplicate).map((member) => member.path));
  if (schema.definition === "") return limited([...[...duplicates].map(duplicateField), ...unknown.map(unknownField)]);
  return limited(
    inOrderOfWriting(
      written.map((member) => member.path),
      unknown,
      duplicates,
    ),
  );
}

const hasDuplicates = (body: Body, text: string): boolean => countMembersInText(text) !== countMembers(body.value);

/** A field that is unknown as well as written twice is only reported as unknown, and so is all below it. */
function inOrderOfWriting(
  paths: readonly string[],
  unknown: readonly string[],
  duplicates: ReadonlySet<string>,
): string[] {
  const unknownPaths = new Set(unknown);
  const errors = new Set<string>();
  let skipped: string | undefined;
  for (const path of paths) {
    if (skipped !== undefined && (path.startsWith(`${skipped}.`) || path.startsWith(`${skipped}[`))) continue;
    skipped = unknownPaths.has(path) ? path : undefined;
    if (skipped !== undefined) errors.add(unknownField(path));
    else if (duplicates.has(path)) errors.add(duplicateField(path));
  }
  return [...errors];
}

const limited = (errors: string[]): string[] => errors.slice(0, mostStrictErrors);

/** The beginning of a body, as refusals show it. */
function summary(text: string): string {
  if (text === "") return "<empty>";
  const shown = text.startsWith("{") ? text.slice(0, 30) : Buffer.from(text.slice(0, 30)).toString("hex");
  return text.length > 30 ? `${shown} ...` : shown;
}
