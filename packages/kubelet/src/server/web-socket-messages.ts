import type { RawData, WebSocket } from "ws";

/** What a message holds, in whichever form the library gives it. */
export const messageBytes = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data;

/** Sends a message; resolves when it is on its way. A client that has gone is heard of by the close event. */
export function sendMessage(socket: WebSocket, message: Buffer | string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.send(message, () => resolve());
  return promise;
}
