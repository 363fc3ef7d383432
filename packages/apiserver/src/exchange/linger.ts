import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "@skiff/base";

/** For this long what comes is read. Clients that are sending hear of the answer in between. */
const lingerMs = 2000;

/**
 * Ends a connection whose client may be sending still. Closing it at once would make the system answer what comes with a
 * reset, by which the client loses the answer that it has not read yet: so what comes is read and thrown away, for a while.
 */
export function linger(socket: Duplex): void {
  const limit = systemClock.after(lingerMs, () => socket.destroy());
  socket.once("close", () => limit.cancel());
  socket.end();
  socket.resume();
}

/** Makes Node linger when it closes this connection after the answer that it has got now. */
export function lingerAtEnd(socket: Socket): void {
  socket.destroySoon = () => linger(socket);
}
