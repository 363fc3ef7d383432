import { encodeProtobuf, protobufMediaType } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { stringify } from "yaml";
import type { Exchange } from "../contracts.ts";
import type { Negotiated } from "../encoding/negotiate.ts";

/** Programs that people look at: without being asked to, the server indents what these get. */
const forPeople = /^(?:curl|Wget|Mozilla\/5\.0)/;

/** As Go reads truths. */
const truths: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"]);

/** Whether JSON is to be indented: as the query says, else as the media type or the program says. */
export function isPretty(exchange: Pick<Exchange, "url" | "query" | "headers">, wanted: Negotiated): boolean {
  if (wanted.pretty) return true;
  const asked = exchange.url.includes("pretty") ? (exchange.query.get("pretty") ?? "") : "";
  return asked === "" ? forPeople.test(exchange.headers["user-agent"] ?? "") : truths.has(asked);
}

/** An answer that is made on the spot, not served from what is stored. */
export interface ValueAnswer {
  readonly status: number;
  readonly wanted: Negotiated;
  readonly value: JsonObject;
}

/** Answers with a value as JSON, YAML or protobuf. */
export function respondValue(exchange: Exchange, { status, wanted, value }: ValueAnswer): void {
  if (wanted.format === "protobuf") {
    exchange.respond({ status, contentType: protobufMediaType, body: encodeProtobuf(value) });
    return;
  }
  if (wanted.format === "yaml") {
    exchange.respond({ status, contentType: "application/yaml", body: stringify(value) });
    return;
  }
  const body = isPretty(exchange, wanted) ? `${JSON.stringify(value, null, 2)}\n` : JSON.stringify(value);
  exchange.respond({ status, contentType: "application/json", body });
}
