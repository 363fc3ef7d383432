import { microTimestamp, timestamp } from "@skiff/base";
import { DecodeFailure } from "../schema/decode-failure.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

const firstSecond = Date.parse("0000-01-01T00:00:00Z") / 1000;
const lastSecond = Date.parse("9999-12-31T23:59:59Z") / 1000;

/** Reads seconds and nanoseconds as RFC 3339, or `undefined` where the message is empty: no time at all. */
export function readTime(reader: WireReader, kind: "time" | "microTime"): string | undefined {
  if (reader.done) return undefined;
  let seconds = 0;
  let nanos = 0;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === 0) seconds = reader.int64();
    else if (number === 2 && wire === 0) nanos = reader.int32();
    else reader.skip(wire);
  }
  if (!(seconds >= firstSecond && seconds <= lastSecond)) {
    throw new DecodeFailure("Time.MarshalJSON: year outside of range [0,9999]");
  }
  if (kind === "time") return timestamp(seconds * 1000);
  const micros = Math.min(Math.max(Math.trunc(nanos / 1000), 0), 999_999);
  return `${microTimestamp(seconds * 1000).slice(0, 20)}${String(micros).padStart(6, "0")}Z`;
}

/** Writes RFC 3339 as seconds and nanoseconds. Times have whole seconds, others six digits. No message for what is no time. */
export function writeTime(writer: WireWriter, text: string, kind: "time" | "microTime"): void {
  const seconds = Math.floor(Date.parse(text) / 1000);
  if (Number.isNaN(seconds)) return;
  const digits = kind === "time" ? "" : (/\.(\d+)/.exec(text)?.[1] ?? "");
  writer.integer(2, Number(digits.slice(0, 6).padEnd(6, "0")) * 1000);
  writer.integer(1, seconds);
}
