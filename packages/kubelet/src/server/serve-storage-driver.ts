import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { type CsiClient, relayCall } from "@skiff/csi";
import { RequestFailure } from "./target.ts";

const mostBytes = 4 * 1024 ** 2;

/**
 * `/csi.v1.Controller/CALL`: passes a call on to the controller service of the storage driver that the node has of its cluster.
 * Whoever may use the node's proxy may do that; the node itself needs no right of the cluster for it.
 */
export async function serveStorageDriver(
  driver: CsiClient | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  call: { readonly path: string; readonly signal: AbortSignal },
): Promise<void> {
  if (driver === undefined) throw new RequestFailure(404, "404 page not found");
  if (request.method !== "POST") throw new RequestFailure(405, "405: Method Not Allowed");
  const length = Number(request.headers["content-length"] ?? Number.NaN);
  if (!(length <= mostBytes)) throw new RequestFailure(413, `a call has a length, of at most ${mostBytes} bytes`);
  const message = await buffer(request);
  const { code, type, body } = await relayCall(driver, { path: call.path, message }, call.signal);
  response.writeHead(code, { "Content-Type": type, "Content-Length": body.length });
  response.end(body);
}
