import type { Exchange } from "../contracts.ts";

/** Headers that belong to one connection, or to the API server alone, and are not passed on. */
const own: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "authorization",
  "http2-settings",
]);

const isOwn = (name: string): boolean => own.has(name) || name.startsWith(":") || name.startsWith("impersonate-");

/** Headers of a request that is passed on; several values are several headers of one name. */
export type ForwardedHeaders = Readonly<Record<string, string | string[]>>;

/** The headers of a request that is passed on, by name in lower case. */
export function forwardedHeaders(exchange: Exchange): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(exchange.headers)) {
    if (value !== undefined && !isOwn(name)) headers[name] = value;
  }
  const before = exchange.headers["x-forwarded-for"];
  headers["x-forwarded-for"] = before === undefined ? exchange.remoteAddress : `${before}, ${exchange.remoteAddress}`;
  return headers;
}

/** True for headers of an answer that are not passed back. */
export const isConnectionHeader = (name: string): boolean =>
  isOwn(name) || name.startsWith("access-control-") || name === "content-type";

/** True when the client wants to leave HTTP for another protocol. */
export const wantsUpgrade = ({ headers }: Exchange): boolean =>
  headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? "");
