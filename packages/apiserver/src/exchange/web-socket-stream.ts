import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { assert } from "@skiff/base";
import { type WebSocket, WebSocketServer } from "ws";
import type { ResponseStream } from "../contracts.ts";
import type { UpgradeRequest } from "./http1-exchange.ts";

/*
 * Watches and logs can be read over a WebSocket too, as browsers do it. A watch's event is a message, without what
 * separates events elsewhere; a log comes in messages as it is read, after an empty one.
 */

/** How the pieces of a log are sent; without a protocol they are binary. */
const base64 = "base64.binary.k8s.io";
const logProtocols: ReadonlySet<string> = new Set([base64, "binary.k8s.io"]);
/** Carries a token, and is no protocol at all. */
const credentials = "base64url.bearer.authorization.k8s.io.";
/** Clients have nothing to say here. */
const maxPayloadBytes = 64 * 1024;

/** Whether a client that upgrades its connection wants to speak WebSocket. */
export const isWebSocket = (upgrade: string | undefined): boolean => upgrade?.toLowerCase() === "websocket";

type Content = "lines" | "frames" | "bytes";

function contentOf(contentType: string): Content {
  if (contentType.startsWith("application/json")) return "lines";
  return contentType.startsWith("application/vnd.kubernetes.protobuf") ? "frames" : "bytes";
}

const serverFor = (content: Content): WebSocketServer =>
  new WebSocketServer({
    noServer: true,
    maxPayload: maxPayloadBytes,
    handleProtocols: (offered) => {
      const protocols = [...offered].filter((name) => !name.startsWith(credentials));
      return (content === "bytes" ? protocols.find((name) => logProtocols.has(name)) : protocols[0]) ?? false;
    },
  });

const servers = { lines: serverFor("lines"), frames: serverFor("frames"), bytes: serverFor("bytes") };

/** Answers an upgrade request with a WebSocket that `content` goes out on. */
export function webSocketStream(
  request: IncomingMessage,
  { socket, head }: UpgradeRequest,
  { contentType, signal }: { readonly contentType: string; readonly signal: AbortSignal },
): ResponseStream {
  const content = contentOf(contentType);
  let opened: WebSocket | undefined;
  servers[content].handleUpgrade(request, socket, head, (webSocket) => {
    opened = webSocket;
  });
  const webSocket = opened;
  if (webSocket === undefined) return refused;
  webSocket.on("error", () => {});
  const send = (message: Uint8Array | string): void =>
    webSocket.protocol === base64 && content === "bytes"
      ? webSocket.send(Buffer.from(message).toString("base64"))
      : webSocket.send(content === "lines" ? Buffer.from(message).toString() : Buffer.from(message));
  if (content === "bytes") send("");
  return {
    write: (chunk) => {
      if (webSocket.readyState === webSocket.OPEN) for (const message of messagesOf(content, chunk)) send(message);
      return !socket.writableNeedDrain;
    },
    drained: async () => {
      if (socket.writableNeedDrain) await once(socket, "drain", { signal });
    },
    abort: () => webSocket.terminate(),
    end: () => webSocket.close(1000),
  };
}

/** Who cannot shake hands was told so, and its connection ended. */
const refused: ResponseStream = { write: () => true, drained: async () => {}, abort: () => {}, end: () => {} };

function* messagesOf(content: Content, chunk: Uint8Array | string): Generator<Uint8Array | string> {
  if (content === "bytes") yield chunk;
  else if (content === "lines") {
    for (const line of Buffer.from(chunk).toString().split("\n")) if (line !== "") yield line;
  } else {
    const bytes = Buffer.from(chunk);
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32BE(at);
      assert(at + 4 + length <= bytes.length, "events are written whole");
      yield bytes.subarray(at + 4, at + 4 + length);
      at += 4 + length;
    }
  }
}
