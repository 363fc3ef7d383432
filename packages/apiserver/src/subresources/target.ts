import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { refusals } from "@skiff/api";
import { describeError } from "@skiff/base";
import type { NodeEndpoint } from "./node-connector.ts";

/** Where a request is passed on to. Without `tls` in the clear. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Path with query. */
  readonly path: string;
  readonly tls: NodeEndpoint["tls"] | undefined;
  /** What is thrown when it cannot be reached; a Status (500) where absent. */
  readonly failure?: (error: unknown) => Error;
}

/** The refusal of a server that cannot be reached, as Kubernetes words it. */
export const unreachable = (target: Target, error: unknown): Error =>
  target.failure?.(error) ??
  refusals.internal(`error dialing backend: dial tcp ${target.host}:${target.port}: ${describeError(error)}`);

/** A connection to the target, both of whose directions end on their own. */
export async function dial(target: Target, signal: AbortSignal): Promise<Socket> {
  const { host, port, tls } = target;
  const place = { host, port, allowHalfOpen: true };
  const socket =
    tls === undefined ? connectPlain(place) : connectTls({ ...place, ...tls, ALPNProtocols: ["http/1.1"] });
  const stop = () => socket.destroy();
  signal.addEventListener("abort", stop, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", stop));
  try {
    await once(socket, tls === undefined ? "connect" : "secureConnect", { signal });
  } catch (error) {
    socket.destroy();
    throw unreachable(target, error);
  }
  socket.setNoDelay(true);
  return socket;
}
