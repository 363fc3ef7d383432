import type { Readable } from "node:stream";
import { refusals, type StatusError } from "@skiff/api";

/** How a body is read. */
export interface BodyOptions {
  readonly limitBytes: number;
  /** `Content-Length`, where there is one. */
  readonly declared: string | undefined;
}

/** Reads a body to its end. Throws 413 when it is too large, 400 when it breaks off. */
export function readBody(source: Readable, { limitBytes, declared }: BodyOptions): Promise<Buffer> {
  if (declared !== undefined && Number(declared) > limitBytes) return Promise.reject(tooLarge(limitBytes));
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  // Listeners stay: a request is read once, and to take four away took longer than to copy its body.
  let finished = false;
  const onData = (chunk: Buffer) => {
    if (finished) return;
    size += chunk.length;
    if (size > limitBytes) finish(tooLarge(limitBytes));
    else chunks.push(chunk);
  };
  const onEnd = () => finish();
  const onClose = () => {
    if (!finished) finish(refusals.badRequest("unexpected EOF"));
  };
  const finish = (error?: StatusError) => {
    if (finished) return;
    finished = true;
    if (error === undefined)
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    else {
      // What still comes goes nowhere, so that the stream can come to its end.
      source.resume();
      reject(error);
    }
  };
  source.on("data", onData).on("end", onEnd).on("error", onClose).on("close", onClose);
  return promise;
}

const tooLarge = (limitBytes: number): StatusError =>
  refusals.tooLarge(`Request entity too large: limit is ${limitBytes}`);
