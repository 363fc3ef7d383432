import { createHash } from "node:crypto";
import type { Exchange } from "./contracts.ts";

/** A document that changes seldom: its text and the hash that clients know it by. */
export interface Document {
  readonly text: string;
  /** With the quotes of an `ETag` header. */
  readonly etag: string;
}

/** A document of any JSON. The hash is SHA-512 in upper case hexadecimals, as Kubernetes makes it. */
export function documentOf(json: unknown): Document {
  const text = JSON.stringify(json);
  return { text, etag: `"${createHash("sha512").update(text).digest("hex").toUpperCase()}"` };
}

/** Answers with a document, or with 304 where the client says that it has it. */
export function answerDocument(exchange: Exchange, document: Document, contentType: string): void {
  exchange.setHeader("etag", document.etag);
  exchange.setHeader("vary", "Accept");
  const known = exchange.headers["if-none-match"]?.split(",").map((tag) => tag.trim());
  if (known?.includes(document.etag) === true) {
    exchange.respond({ status: 304, contentType, body: "" });
    return;
  }
  exchange.respond({ status: 200, contentType, body: document.text });
}
