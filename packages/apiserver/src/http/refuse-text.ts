import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { linger } from "../exchange/linger.ts";

/** By the code of what Node's parser says; everything else is 400. */
const statusByCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers what is no request, as Node would, but so that clients that are sending still have the answer too. `last` is what
 * the connection's last request was answered with.
 */
export function refuseText(error: NodeJS.ErrnoException, socket: Duplex, last: ServerResponse | undefined): void {
  // The parser complains about all that follows, too.
  if (socket.writableEnded) return;
  const isAnswering = last?.headersSent === true && !last.writableFinished;
  if (!socket.writable || isAnswering) {
    socket.destroy(error);
    return;
  }
  const status = statusByCode[error.code ?? ""] ?? 400;
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
  linger(socket);
}
