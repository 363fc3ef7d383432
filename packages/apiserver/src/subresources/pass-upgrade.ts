import type { Duplex } from "node:stream";
import type { Exchange } from "../contracts.ts";
import { type ForwardedHeaders, forwardedHeaders } from "./forwarded-headers.ts";
import { dial, type Target } from "./target.ts";

/** Header that clients repeat, one protocol a line. */
const repeated = "x-stream-protocol-version";

function requestHead(exchange: Exchange, target: Target, headers: ForwardedHeaders): string {
  const lines = [`${exchange.method} ${target.path} HTTP/1.1`, `host: ${target.host}:${target.port}`];
  for (const [name, value] of Object.entries(headers)) {
    const values = Array.isArray(value) ? value : name === repeated ? value.split(",") : [value];
    for (const item of values) lines.push(`${name}: ${item.trim()}`);
  }
  lines.push("connection: Upgrade", `upgrade: ${exchange.headers.upgrade ?? ""}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/**
 * Passes a request that leaves HTTP (SPDY, WebSocket) on to the target and then every byte in both directions, whatever
 * the protocol. Where one side ends its direction, the other goes on. Resolves when both are over.
 */
export async function passUpgrade(
  exchange: Exchange,
  target: Target,
  headers: ForwardedHeaders = forwardedHeaders(exchange),
): Promise<void> {
  // First the target, then the client's connection: what cannot be reached is answered as a Status.
  const backend = await dial(target, exchange.signal);
  const { socket, head } = exchange.upgrade();
  backend.write(requestHead(exchange, target, headers));
  if (head.length > 0) backend.write(head);
  await Promise.all([flow(socket, backend), flow(backend, socket)]);
}

/** Moves bytes one way until that way ends; an error ends both. Never rejects: there is nobody left to tell. */
function flow(from: Duplex, to: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const broken = () => {
    from.destroy();
    to.destroy();
    resolve();
  };
  from.pipe(to);
  from.once("end", resolve);
  from.once("error", broken);
  from.once("close", () => {
    // A side that is gone without a word cannot take anything any more either.
    if (!from.readableEnded) broken();
    resolve();
  });
  return promise;
}
