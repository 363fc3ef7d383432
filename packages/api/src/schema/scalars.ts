import type { JsonValue } from "@skiff/base";
import { microTimestamp, timestamp } from "@skiff/base";
import { canonicalQuantity, QuantityError } from "../quantity.ts";
import { DecodeFailure } from "./decode-failure.ts";
import { jsonTypeName } from "./go-names.ts";

/** Values that Kubernetes reads with code of their own, into their canonical form. All throw `DecodeFailure`. */

export function conformQuantity(value: JsonValue): string {
  try {
    return canonicalQuantity(typeof value === "string" ? value.trim() : String(value));
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeFailure(error.message, { cause: error });
    throw error;
  }
}

export function conformIntOrString(value: JsonValue): string | number {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2 ** 31) return value;
  const shown = typeof value === "number" ? `number ${value}` : jsonTypeName(value);
  throw new DecodeFailure(`json: cannot unmarshal ${shown} into Go value of type int32`);
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const layouts = {
  time: "2006-01-02T15:04:05Z07:00",
  microTime: "2006-01-02T15:04:05.000000Z07:00",
} as const;

/** RFC 3339, written again in UTC with whole seconds (`time`) or six digits (`microTime`). */
export function conformTime(value: JsonValue, kind: "time" | "microTime"): string {
  if (typeof value !== "string") {
    throw new DecodeFailure(`json: cannot unmarshal ${jsonTypeName(value)} into Go value of type string`);
  }
  const epochMs = instant.test(value) ? Date.parse(value.replace(",", ".")) : Number.NaN;
  if (!Number.isNaN(epochMs) && dayExists(value)) {
    if (kind === "time") return timestamp(epochMs);
    const digits = (/[.,](\d+)/.exec(value)?.[1] ?? "").padEnd(6, "0").slice(0, 6);
    return `${microTimestamp(epochMs).slice(0, 20)}${digits}Z`;
  }
  const shown = JSON.stringify(value);
  const layout = layouts[kind];
  if (instant.test(value)) throw new DecodeFailure(`parsing time ${shown}: ${outOfRange(value)} out of range`);
  const { rest, element } = firstMismatch(value);
  throw new DecodeFailure(
    `parsing time ${shown} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`,
  );
}

const dayExists = (text: string): boolean => {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
};

function outOfRange(text: string): string {
  const month = Number(text.slice(5, 7));
  if (month < 1 || month > 12) return "month";
  if (Number(text.slice(11, 13)) > 23) return "hour";
  if (Number(text.slice(14, 16)) > 59) return "minute";
  return Number(text.slice(17, 19)) > 59 ? "second" : "day";
}

const elements: readonly (readonly [element: string, form: RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d\d/],
  ["-", /^-/],
  ["02", /^\d\d/],
  ["T", /^T/],
  ["15", /^\d\d/],
  [":", /^:/],
  ["04", /^\d\d/],
  [":", /^:/],
  ["05", /^\d\d(?:[.,]\d+)?/],
  ["Z07:00", /^(?:Z|[+-]\d\d:\d\d)$/],
];

/** Where a text stops being a time, and what should have been there. */
function firstMismatch(text: string): { readonly rest: string; readonly element: string } {
  let rest = text;
  for (const [element, form] of elements) {
    const match = form.exec(rest);
    if (match === null) return { rest, element };
    rest = rest.slice(match[0].length);
  }
  return { rest, element: "" };
}

/** Standard base64 with padding; line breaks are dropped. */
export function conformBytes(value: string): string {
  if (value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) return value;
  const text = value.replaceAll(/[\r\n]/g, "");
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) return text;
  const wrong = value.search(/[^A-Za-z0-9+/\r\n]/);
  // A text that only ends too early is wrong where its last group of four begins to be short.
  const at = wrong === -1 ? value.length - (text.length % 4) : wrong;
  throw new DecodeFailure(`illegal base64 data at input byte ${at}`);
}
