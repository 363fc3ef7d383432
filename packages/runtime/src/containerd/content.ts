import { createHash } from "node:crypto";
import type { GrpcChannel } from "@skiff/grpc";
import { RuntimeError } from "../runtime.ts";
import { WriteAction } from "./generated/containerd-services-content-v1.ts";
import { isNotFound } from "./grpc-error.ts";
import { Content, nativeCall, nativeMetadata } from "./native.ts";

/** A blob in containerd's content store. */
export interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** A lease under which things are written, and for how long the caller cares. */
export interface LeasedCall {
  readonly lease: string;
  readonly signal: AbortSignal;
}

export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const chunkBytes = 1024 * 1024;

/** The source's bytes in pieces that a message may hold. */
async function* chunks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const part of source) {
    parts.push(part);
    length += part.length;
    if (length < chunkBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(parts);
}

/**
 * Writes a blob of `size` bytes. `ref` names the upload while it goes on. `seen` sees every piece on its way. A blob
 * that is there already counts as written.
 */
export async function writeBlob(
  channel: GrpcChannel,
  source: AsyncIterable<Buffer>,
  options: LeasedCall & { readonly ref: string; readonly size: number; readonly seen?: (piece: Buffer) => void },
): Promise<Blob> {
  const { ref, size, lease, signal } = options;
  const hash = createHash("sha256");
  let offset = 0;
  using upload = channel.duplex(Content.write, { signal, metadata: nativeMetadata(lease) });
  for await (const data of chunks(source)) {
    hash.update(data);
    options.seen?.(data);
    await upload.send({ action: WriteAction.WRITE, ref, total: size, offset, data });
    await upload.receive();
    offset += data.length;
  }
  const digest = `sha256:${hash.digest("hex")}`;
  try {
    await upload.send({ action: WriteAction.COMMIT, ref, total: size, offset, expected: digest });
    await upload.receive();
    upload.end();
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === "ALREADY_EXISTS")) throw error;
    // Under this lease too, so that it is not collected before the image refers to it.
    using touch = channel.duplex(Content.write, { signal, metadata: nativeMetadata(lease) });
    await touch.send({ action: WriteAction.STAT, ref: `${ref}-lease`, total: size, expected: digest });
    await touch.receive().catch(() => {});
  }
  return { digest, size: offset };
}

/** Writes a blob that is in memory. */
export const writeBytes = (
  channel: GrpcChannel,
  bytes: Buffer,
  options: LeasedCall & { readonly ref: string },
): Promise<Blob> =>
  writeBlob(
    channel,
    (async function* () {
      yield bytes;
    })(),
    { ...options, size: bytes.length },
  );

/** Sets labels of a blob, leaving others as they are. What `containerd.io/gc.ref.…` labels point to is kept with the blob. */
export async function labelBlob(
  channel: GrpcChannel,
  digest: string,
  labels: Readonly<Record<string, string>>,
  { lease, signal }: LeasedCall,
): Promise<void> {
  const paths = Object.keys(labels).map((key) => `labels.${key}`);
  await nativeCall(channel, Content.update, { info: { digest, labels }, updateMask: { paths } }, { lease, signal });
}

/** Whether the store has a blob. */
export async function hasBlob(channel: GrpcChannel, digest: string, { lease, signal }: LeasedCall): Promise<boolean> {
  try {
    await nativeCall(channel, Content.info, { digest }, { lease, signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
