import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isJsonObject } from "@skiff/base";
import { extract, type Pack, pack } from "tar-stream";
import { ClusterError } from "../settings/cluster-error.ts";

/*
 * A backup is a tar file with what a cluster is made anew of, and last `checksums.json`: the SHA-256 of every other file. It
 * holds the keys of the cluster's authorities, so that nobody but its owner may read it.
 */
const checksums = "checksums.json";

/** A file of the archive: its name in there, and where it is read from. */
export interface ArchiveFile {
  readonly name: string;
  readonly path: string;
}

/** Writes an archive, whole or not at all. */
export async function writeArchive(target: string, files: readonly ArchiveFile[]): Promise<void> {
  const draft = `${target}.draft`;
  try {
    const archive = pack();
    const output = createWriteStream(draft, { mode: 0o600, flush: true });
    const written = once(output, "close");
    archive.pipe(output);
    const sums: Record<string, string> = {};
    for (const { name, path } of files) sums[name] = await addFile(archive, name, path);
    archive.entry({ name: checksums, mode: 0o600 }, `${JSON.stringify(sums, undefined, 2)}\n`);
    archive.finalize();
    await written;
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Gives the file's SHA-256. */
async function addFile(archive: Pack, name: string, path: string): Promise<string> {
  const { size } = await stat(path);
  const hash = createHash("sha256");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const entry = archive.entry({ name, size, mode: 0o600 }, (error) => (error ? reject(error) : resolve()));
  const source = createReadStream(path);
  source.on("data", (chunk) => hash.update(chunk));
  source.on("error", reject);
  source.pipe(entry);
  await promise;
  return hash.digest("hex");
}

/** tar-stream's entries can be iterated, though their types do not say so. */
const isPieces = (value: unknown): value is AsyncIterable<Buffer> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;

/** Reads an archive into a folder. Throws `ClusterError` for one that is damaged, or holds anything but `names`. */
export async function readArchive(source: string, folder: string, names: readonly string[]): Promise<void> {
  const damaged = (what: string, cause?: unknown) =>
    new ClusterError("BACKUP_DAMAGED", `${source} is no backup, or damaged: ${what}`, { cause });
  const sums: Record<string, string> = {};
  const entries = extract();
  const input = createReadStream(source);
  input.on("error", (error) => entries.destroy(error));
  input.pipe(entries);
  try {
    for await (const entry of entries) {
      const { name } = entry.header;
      if (name !== checksums && !names.includes(name)) throw damaged(`it holds ${name}`);
      if (isPieces(entry)) sums[name] = await writePieces(join(folder, name), entry);
    }
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    throw damaged(error instanceof Error ? error.message : String(error), error);
  } finally {
    input.destroy();
  }
  const text = await readFile(join(folder, checksums), "utf8").catch(() => "null");
  const expected: unknown = JSON.parse(text);
  if (!isJsonObject(expected)) throw damaged("it is cut short");
  for (const name of names) if (expected[name] === undefined || expected[name] !== sums[name]) throw damaged(name);
  await sync(folder);
}

async function writePieces(path: string, pieces: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await using file = await open(path, "w", 0o600);
  for await (const piece of pieces) {
    hash.update(piece);
    await file.writeFile(piece);
  }
  await file.sync();
  return hash.digest("hex");
}

async function sync(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}
