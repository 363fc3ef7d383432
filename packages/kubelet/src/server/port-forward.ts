import { describeError } from "@skiff/base";
import type { WebSocket } from "ws";
import { openSpdy } from "./runtime-socket.ts";
import { messageBytes } from "./web-socket-messages.ts";

/** The subprotocol by which SPDY's port-forwarding is carried inside a WebSocket. */
export const tunnelProtocol = "SPDY/3.1+portforward.k8s.io";

/** Unwraps SPDY frames from a WebSocket into the runtime's own SPDY connection, and wraps what comes back. */
export async function serveTunnel(socket: WebSocket, url: () => Promise<URL>): Promise<void> {
  const gone = new AbortController();
  const early: Buffer[] = [];
  let receive = (message: Buffer) => {
    early.push(message);
  };
  socket.on("message", (data) => receive(messageBytes(data)));
  socket.on("close", () => gone.abort());
  socket.on("error", () => gone.abort());
  try {
    const { socket: runtime, rest } = await openSpdy(await url(), "portforward.k8s.io", gone.signal);
    receive = (message) => {
      if (runtime.write(message)) return;
      socket.pause();
      runtime.once("drain", () => socket.resume());
    };
    for (const message of early.splice(0)) receive(message);
    const forward = (chunk: Buffer) => {
      runtime.pause();
      socket.send(chunk, () => runtime.resume());
    };
    runtime.on("data", forward);
    if (rest.length > 0) forward(rest);
    runtime.resume();
    runtime.on("close", () => socket.close(1000));
    runtime.on("error", () => socket.close(1011, "the runtime's connection failed"));
    gone.signal.addEventListener("abort", () => runtime.destroy(), { once: true });
    if (gone.signal.aborted) runtime.destroy();
  } catch (error) {
    socket.close(1011, describeError(error).slice(0, 120));
  }
}
