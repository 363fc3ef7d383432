import { type IncomingMessage, request as requestPlain } from "node:http";
import { Agent, request as requestTls } from "node:https";
import { pipeline } from "node:stream/promises";
import { isAbort } from "@skiff/base";
import type { Exchange } from "../contracts.ts";
import { type ForwardedHeaders, forwardedHeaders, isConnectionHeader } from "./forwarded-headers.ts";
import { isRewritable, type ProxiedPlace, rewriteLink, rewritePage } from "./rewrite-links.ts";
import { type Target, unreachable } from "./target.ts";

/** Keeps connections to kubelets between requests: a handshake costs more than most answers. */
const agent = new Agent({ keepAlive: true, maxFreeSockets: 4, timeout: 30_000 });

/** What the target answered, head first. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly message: IncomingMessage;
}

/** Sends a request on and gives the answer's head. `body` is sent where there is one. Throws a Status when nobody answers. */
export async function send(
  target: Target,
  request: {
    readonly method: string;
    readonly headers: ForwardedHeaders;
    readonly body: NodeJS.ReadableStream | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Answer> {
  const { host, port, path, tls } = target;
  const { method, headers, body, signal } = request;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { host, port, path, method, headers, signal };
  const outgoing =
    tls === undefined ? requestPlain(options, resolve) : requestTls({ ...options, ...tls, agent }, resolve);
  outgoing.once("error", reject);
  if (body === undefined) outgoing.end();
  // A broken body shows as a broken request.
  else pipeline(body, outgoing).catch(reject);
  const message = await promise.catch((error: unknown) => {
    throw isAbort(error, signal) ? error : unreachable(target, error);
  });
  // Later errors end the body, which its reader sees.
  outgoing.on("error", () => {});
  return { status: message.statusCode ?? 502, contentType: message.headers["content-type"] ?? "", message };
}

/** Passes an answer back piece by piece; links to the server itself lead through the proxy, where `place` says how. */
export async function passBack(
  exchange: Exchange,
  { status, contentType, message }: Answer,
  place?: ProxiedPlace,
): Promise<void> {
  const encoding = message.headers["content-encoding"] ?? "";
  const { location } = message.headers;
  const rewrites = place !== undefined && location === undefined && isRewritable(contentType, encoding);
  for (const [name, value] of Object.entries(message.headers)) {
    if (value === undefined || isConnectionHeader(name) || (rewrites && name === "content-length")) continue;
    const values = Array.isArray(value) ? value : [value];
    for (const item of values) {
      exchange.setHeader(name, name === "location" && place !== undefined ? rewriteLink(item, place) : item);
    }
  }
  const body = rewrites && exchange.method !== "HEAD" ? await rewritePage(message, encoding, place) : message;
  await writeAll(exchange, { status, contentType }, body);
}

/** Writes a body as it comes, no faster than the client takes it. */
export async function writeAll(
  exchange: Exchange,
  head: { readonly status: number; readonly contentType: string },
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const stream = exchange.stream(head);
  try {
    for await (const chunk of body) if (!stream.write(chunk)) await stream.drained();
  } catch (error) {
    if (!exchange.signal.aborted && !isAbort(error)) throw error;
  } finally {
    stream.end();
  }
}

const withoutBody: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Passes a whole request on and its answer back; with `headers` in place of the client's, `place` as in `passBack`. */
export async function passRequest(
  exchange: Exchange,
  target: Target,
  headers: ForwardedHeaders = forwardedHeaders(exchange),
  place?: ProxiedPlace,
): Promise<void> {
  const { method, signal } = exchange;
  const bodiless = withoutBody.has(method) && exchange.headers["content-length"] === undefined;
  const answer = await send(target, {
    method,
    headers: { ...headers, host: `${target.host}:${target.port}` },
    body: bodiless ? undefined : exchange.bodyStream(),
    signal,
  });
  await passBack(exchange, answer, place);
}
