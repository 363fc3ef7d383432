import { isJsonObject, type JsonValue } from "@skiff/base";
import { isScalar, LineCounter, parseDocument, type Tags, visit } from "yaml";
import { DecodeFailure } from "./decode-failure.ts";

/** A YAML body as JSON. */
export interface YamlBody {
  readonly value: JsonValue;
  /** `yaml: unmarshal errors:…` when a mapping says a key twice, as strict decoding reports it. */
  readonly duplicates: string | undefined;
}

/**
 * YAML 1.1 as Kubernetes reads it: `yes` and `on` are booleans, `0644` is octal; but times stay text, and `12:30` is no number in
 * base 60.
 */
const unread = new Set(["timestamp", "intTime", "floatTime", "binary", "omap", "pairs", "set"]);
const withoutUnread = (tags: Tags): Tags =>
  tags.filter((tag) => (typeof tag === "string" ? !unread.has(tag) : !isUnread(tag)));

const isUnread = (tag: { readonly tag: string; readonly format?: string }): boolean =>
  tag.format === "TIME" || /:(?:timestamp|binary|omap|pairs|set)$/.test(tag.tag);

/** Reads one YAML document. Throws `DecodeFailure`. */
export function parseYamlBody(text: string): YamlBody {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.1",
    uniqueKeys: false,
    intAsBigInt: true,
    strict: false,
    logLevel: "silent",
    lineCounter: lines,
    customTags: withoutUnread,
  });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    const what = error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? "";
    throw new DecodeFailure(
      `error converting YAML to JSON: yaml: ${line === undefined ? "" : `line ${line}: `}${what}`,
    );
  }
  const duplicates: string[] = [];
  visit(document, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name) && name !== "<<") {
          duplicates.push(
            `  line ${lines.linePos(key.range?.[0] ?? 0).line}: key ${JSON.stringify(name)} already set in map`,
          );
        }
        seen.add(name);
      }
    },
  });
  return {
    value: jsonOf(asPlain(document), 0),
    duplicates: duplicates.length === 0 ? undefined : `yaml: unmarshal errors:\n${duplicates.join("\n")}`,
  };
}

function asPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new DecodeFailure(`error converting YAML to JSON: yaml: ${what}`, { cause: error });
  }
}

/** Whole numbers that a `number` holds exactly are one; larger ones keep their digits, as far as 64 bits go. */
function wholeNumber(value: bigint): JsonValue {
  const rounded = Number(value);
  return Number.isSafeInteger(rounded) || BigInt.asIntN(64, value) !== value ? rounded : value;
}

const deepest = 500;

/** Copies, so that aliases share nothing, and turns what JSON cannot say into what it can. */
function jsonOf(value: unknown, depth: number): JsonValue {
  if (depth > deepest) throw new DecodeFailure("error converting YAML to JSON: yaml: exceeded max depth");
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new DecodeFailure(`error converting YAML to JSON: json: unsupported value: ${value}`);
  }
  if (typeof value === "bigint") return wholeNumber(value);
  if (Array.isArray(value)) return value.map((item) => jsonOf(item, depth + 1));
  if (!isJsonObject(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, jsonOf(member, depth + 1)]));
}
