/**
 * A controller service that is asked over HTTP, one request a call, where its socket is on another machine: the node's server
 * passes the messages on to the driver and back.
 */
import { isJsonObject, parseJson } from "@skiff/base";
import { codes, GrpcStatus, type Init, type MessageType, type Method } from "@skiff/grpc";
import type { CsiClient } from "./csi-client.ts";

/** First part of the paths of the calls: those that gRPC has as well. */
export const controllerFolder = "csi.v1.Controller";

const protobuf = "application/protobuf";
const json = "application/json";

/** What a relay sends back. */
export interface RelayAnswer {
  readonly code: number;
  readonly type: string;
  readonly body: Uint8Array;
}

/** A message that is not read here. */
const bytes: MessageType<Uint8Array> = {
  encode: (value) => Buffer.from(value),
  decode: (value) => value,
  fields: () => [],
};

/** Passes one call on. What the driver refuses is part of the answer. */
export async function relayCall(
  driver: CsiClient,
  call: { readonly path: string; readonly message: Uint8Array },
  signal: AbortSignal,
): Promise<RelayAnswer> {
  const method = { path: call.path, request: bytes, response: bytes };
  try {
    return { code: 200, type: protobuf, body: await driver.call(method, call.message, signal) };
  } catch (error) {
    if (!(error instanceof GrpcStatus)) throw error;
    const { code, message } = error;
    return { code: 500, type: json, body: Buffer.from(JSON.stringify({ code, message })) };
  }
}

/** The other end: what a call came to. Throws `GrpcStatus` where it failed, `UNAVAILABLE` where no driver was asked. */
function readRelayed<Request, Response>(method: Method<Request, Response>, answer: RelayAnswer): Response {
  const { code, type, body } = answer;
  if (code === 200 && type === protobuf) return method.response.decode(body);
  const text = Buffer.from(body).toString();
  if (type !== json) throw new GrpcStatus("UNAVAILABLE", `the node answered with ${code}: ${text}`);
  const failure = parseJson(text);
  const { code: said, message } = isJsonObject(failure) ? failure : {};
  throw new GrpcStatus(codes.find((one) => one === said) ?? "UNKNOWN", String(message ?? text));
}

/** Asks for one call, by whatever way the message goes to the relay. */
export async function callRelay<Request, Response>(
  method: Method<Request, Response>,
  request: Init<Request>,
  send: (path: string, message: Buffer) => Promise<RelayAnswer>,
): Promise<Response> {
  return readRelayed(method, await send(method.path, method.request.encode(request)));
}
