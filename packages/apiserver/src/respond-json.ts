import { createHash } from "node:crypto";
import type { Exchange } from "./contracts.ts";

/** A document that changes seldom: what is sent and the hash that clients know it by. */
export interface Document {
  readonly body: Uint8Array | string;
  /** With the quotes of an `ETag` header. */
  readonly etag: string;
}

/** A document of any JSON. */
export const documentOf = (json: unknown): Document => encodedDocument(JSON.stringify(json));

/** A document that is encoded already. The hash is SHA-512 in upper case hexadecimals, as Kubernetes makes it. */
export const encodedDocument = (body: Uint8Array | string): Document => ({
  body,
  etag: `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`,
});

/** Answers with a document, or with 304 where the client says that it has it. */
export function answerDocument(exchange: Exchange, document: Document, contentType: string): void {
  exchange.setHeader("etag", document.etag);
  exchange.setHeader("vary", "Accept");
  const known = exchange.headers["if-none-match"]?.split(",").map((tag) => tag.trim());
  if (known?.includes(document.etag) === true) {
    exchange.respond({ status: 304, contentType, body: "" });
    return;
  }
  exchange.respond({ status: 200, contentType, body: document.body });
}
