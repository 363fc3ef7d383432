import { randomUUID } from "node:crypto";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type Clock, describeError, timestamp } from "@skiff/base";
import type { GrpcChannel } from "@skiff/grpc";
import { type Extract, extract } from "tar-stream";
import { RuntimeError } from "../runtime.ts";
import { type LeasedCall, labelBlob, sha256, writeBlob, writeBytes } from "./content.ts";
import { isNotFound } from "./grpc-error.ts";
import { type Archive, type ArchivedBlob, type ArchivedImage, imagesOf } from "./image-archive.ts";
import { Diff, Images, Leases, nativeCall, Snapshots } from "./native.ts";

/** How long an import may take. */
const leaseMs = 4 * 3600 * 1000;
/** Documents (manifests, configurations) are kept in memory up to this size. */
const documentLimitBytes = 4 * 1024 * 1024;

const empty = () => new RuntimeError("INVALID_ARGUMENT", "the archive is empty");

/** The stream, unpacked where it is gzip. */
async function plain(archive: Readable): Promise<Readable> {
  for (;;) {
    const head: unknown = archive.read();
    if (head instanceof Buffer && head.length > 0) {
      archive.unshift(head);
      if (head[0] !== 0x1f || head[1] !== 0x8b) return archive;
      const unpacked = createGunzip();
      archive.once("error", (error) => unpacked.destroy(error));
      return archive.pipe(unpacked);
    }
    if (archive.readableEnded || archive.destroyed) throw empty();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    for (const event of ["readable", "end", "close"]) archive.once(event, () => resolve());
    archive.once("error", reject);
    await promise;
  }
}

/** Feeds a stream into the tar reader, at the pace at which that is read. */
async function feed(source: Readable, target: Extract): Promise<void> {
  try {
    for await (const piece of source) {
      if (target.destroyed) return;
      if (!target.write(piece)) await drainOrClose(target);
    }
    target.end(undefined);
  } catch (error) {
    target.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Leaves no listener behind: a large archive has many pauses. */
function drainOrClose(target: Extract): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  target.on("drain", resolve);
  target.on("close", resolve);
  return promise.finally(() => {
    target.off("drain", resolve);
    target.off("close", resolve);
  });
}

/** tar-stream's entries can be iterated, though their types do not say so. */
const isPieces = (value: unknown): value is AsyncIterable<Buffer> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;

const cleanPath = (path: string): string => posix.normalize(path).replace(/^(\.?\/)+/, "");

/** Stores every file of the archive as it comes by; nothing is written to disk in between. */
async function storeArchive(channel: GrpcChannel, archive: Readable, call: LeasedCall): Promise<Archive> {
  const blobs = new Map<string, ArchivedBlob>();
  const documents = new Map<string, unknown>();
  const links = new Map<string, string>();
  const entries = extract();
  const feeding = feed(await plain(archive), entries);
  for await (const entry of entries) {
    const { header } = entry;
    const path = cleanPath(header.name);
    if (header.type === "symlink" || header.type === "link") {
      const target = header.linkname;
      links.set(path, cleanPath(header.type === "link" ? target : posix.join(posix.dirname(path), target)));
    } else if (header.type === "file" && isPieces(entry)) {
      const kept: Buffer[] = [];
      let first: Buffer | undefined;
      const seen = (piece: Buffer) => {
        first ??= piece;
        if (header.size <= documentLimitBytes && (first[0] === 0x7b || first[0] === 0x5b)) kept.push(piece);
      };
      const blob = await writeBlob(channel, entry, { ...call, ref: `${call.lease}/${path}`, size: header.size, seen });
      blobs.set(path, { ...blob, gzip: first?.[0] === 0x1f && first[1] === 0x8b });
      if (kept.length > 0) {
        try {
          documents.set(path, JSON.parse(Buffer.concat(kept).toString()));
        } catch {
          // A layer may begin with a bracket too.
        }
      }
    }
    entry.resume();
  }
  await feeding;
  return { blobs, documents, links };
}

/** A digest that stands for a stack of layers: how containerd names the snapshot of each. */
export function chainIds(diffIds: readonly string[]): readonly string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : sha256(Buffer.from(`${below} ${diffId}`)));
  }
  return chain;
}

async function hasSnapshot(channel: GrpcChannel, snapshotter: string, key: string, call: LeasedCall): Promise<boolean> {
  try {
    await nativeCall(channel, Snapshots.stat, { snapshotter, key }, call);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Unpacks the layers, so that the first container need not wait for it. Gives the topmost snapshot's name. */
async function unpack(
  channel: GrpcChannel,
  image: ArchivedImage,
  snapshotter: string,
  call: LeasedCall,
): Promise<string> {
  const chain = chainIds(image.diffIds);
  for (const [index, layer] of image.layers.entries()) {
    const name = chain[index] ?? "";
    if (await hasSnapshot(channel, snapshotter, name, call)) continue;
    const key = `${call.lease}-${name}`;
    const parent = index === 0 ? "" : (chain[index - 1] ?? "");
    const { mounts } = await nativeCall(channel, Snapshots.prepare, { snapshotter, key, parent }, call);
    const diff = { mediaType: layer.mediaType, digest: layer.digest, size: layer.size };
    const { applied } = await nativeCall(channel, Diff.apply, { diff, mounts }, call);
    if (applied?.digest !== image.diffIds[index]) {
      throw new RuntimeError("INVALID_ARGUMENT", `layer ${layer.digest} does not unpack to ${image.diffIds[index]}`);
    }
    await nativeCall(channel, Snapshots.commit, { snapshotter, name, key }, call).catch((error: unknown) => {
      if (!(error instanceof RuntimeError && error.code === "ALREADY_EXISTS")) throw error;
    });
  }
  return chain.at(-1) ?? "";
}

async function manifestOf(channel: GrpcChannel, image: ArchivedImage, call: LeasedCall) {
  if (image.manifest !== undefined) return image.manifest;
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const config = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: image.config.digest,
    size: image.config.size,
  };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: image.layers }));
  return {
    ...(await writeBytes(channel, bytes, { ...call, ref: `${call.lease}/manifest-${image.config.digest}` })),
    mediaType,
  };
}

async function nameImage(
  channel: GrpcChannel,
  image: {
    name: string;
    labels: Readonly<Record<string, string>>;
    target: { mediaType: string; digest: string; size: number };
  },
  call: LeasedCall,
): Promise<void> {
  try {
    await nativeCall(channel, Images.create, { image }, call);
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === "ALREADY_EXISTS")) throw error;
    const paths = ["target", ...Object.keys(image.labels).map((key) => `labels.${key}`)];
    await nativeCall(channel, Images.update, { image, updateMask: { paths } }, call);
  }
}

/** An image that was imported: its id and the names it has now. */
export interface ImportedImage {
  readonly id: string;
  readonly names: readonly string[];
}

/**
 * Stores the images of an archive, unpacks and names them. `labels` go on the image records. An image without a name
 * is kept under its digest.
 */
export async function importArchive(
  channel: GrpcChannel,
  archive: Readable,
  options: {
    readonly snapshotter: string;
    readonly architecture: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<readonly ImportedImage[]> {
  const { signal, snapshotter } = options;
  const lease = `skiff-import-${randomUUID()}`;
  // Should this process die, containerd forgets the lease by itself, and what only it held.
  const labels = { "containerd.io/gc.expire": timestamp(options.clock.now() + leaseMs) };
  await nativeCall(channel, Leases.create, { id: lease, labels }, { signal });
  const call: LeasedCall = { lease, signal };
  try {
    const stored = await storeArchive(channel, archive, call).catch((error: unknown) => {
      if (error instanceof RuntimeError || signal.aborted) throw error;
      throw new RuntimeError("INVALID_ARGUMENT", `the archive cannot be read: ${describeError(error)}`, {
        cause: error,
      });
    });
    const imported: ImportedImage[] = [];
    for (const image of imagesOf(stored, options.architecture)) {
      const target = await manifestOf(channel, image, call);
      const snapshot = await unpack(channel, image, snapshotter, call);
      const references = image.layers.map((layer, index) => [`containerd.io/gc.ref.content.l.${index}`, layer.digest]);
      const manifestLabels = {
        "containerd.io/gc.ref.content.config": image.config.digest,
        ...Object.fromEntries(references),
      };
      await labelBlob(channel, target.digest, manifestLabels, call);
      await labelBlob(
        channel,
        image.config.digest,
        { [`containerd.io/gc.ref.snapshot.${snapshotter}`]: snapshot },
        call,
      );
      const names = image.names.length > 0 ? image.names : [`docker.io/library/unnamed@${target.digest}`];
      for (const name of names) await nameImage(channel, { name, labels: options.labels, target }, call);
      imported.push({ id: image.config.digest, names });
    }
    return imported;
  } finally {
    archive.destroy();
    await nativeCall(
      channel,
      Leases.delete,
      { id: lease },
      { signal: new AbortController().signal, deadlineMs: 10_000 },
    ).catch(() => {});
  }
}
