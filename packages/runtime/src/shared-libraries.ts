import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** What an ELF file needs at run time. */
export interface ElfNeeds {
  /** The dynamic loader's path; `undefined` for static programs and for libraries. */
  readonly interpreter: string | undefined;
  /** Names of shared libraries, as in `libc.so.6`. */
  readonly libraries: readonly string[];
}

const segment = { load: 1, dynamic: 2, interpreter: 3 };
const tag = { needed: 1, strings: 5 };

const textAt = (bytes: Buffer, offset: number): string => bytes.toString("latin1", offset, bytes.indexOf(0, offset));

/** Reads a 64-bit little-endian ELF file's headers. Throws when it is something else. */
export function elfNeeds(bytes: Buffer): ElfNeeds {
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new Error("this is no 64-bit little-endian ELF file");
  }
  const u64 = (offset: number) => Number(bytes.readBigUInt64LE(offset));
  const headers = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = u64(32) + index * bytes.readUInt16LE(54);
    return { type: bytes.readUInt32LE(at), offset: u64(at + 8), address: u64(at + 16), fileSize: u64(at + 32) };
  });
  const interpreter = headers.find(({ type }) => type === segment.interpreter);
  const dynamic = headers.find(({ type }) => type === segment.dynamic);
  const entries: { readonly kind: number; readonly value: number }[] = [];
  if (dynamic !== undefined) {
    for (let at = dynamic.offset; at < dynamic.offset + dynamic.fileSize; at += 16) {
      entries.push({ kind: u64(at), value: u64(at + 8) });
    }
  }
  const stringsAddress = entries.find(({ kind }) => kind === tag.strings)?.value ?? 0;
  const holder = headers.find(
    ({ type, address, fileSize }) =>
      type === segment.load && stringsAddress >= address && stringsAddress < address + fileSize,
  );
  const strings = holder === undefined ? 0 : holder.offset + stringsAddress - holder.address;
  return {
    interpreter: interpreter === undefined ? undefined : textAt(bytes, interpreter.offset),
    libraries: entries.filter(({ kind }) => kind === tag.needed).map(({ value }) => textAt(bytes, strings + value)),
  };
}

const multiarch: Readonly<Record<string, string>> = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };

/** Libraries that glibc before 2.34 loads by name to resolve hosts and users. */
const loadedByName: readonly string[] = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];

/**
 * The dynamic loader and all libraries that a program of this machine needs, by the paths at which the loader finds
 * them; none for a static program. Like ldd, but nothing is run.
 */
export function sharedLibraries(program: string): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  const needs = elfNeeds(readFileSync(program));
  if (needs.interpreter === undefined) return found;
  found.set(needs.interpreter, readFileSync(needs.interpreter));
  const architecture = multiarch[process.arch] ?? "";
  const folders = [
    ...["/lib", "/usr/lib"].map((folder) => join(folder, architecture)),
    ...["/lib64", "/usr/lib64", "/lib", "/usr/lib"],
    dirname(realpathSync(needs.interpreter)),
  ];
  const pathOf = (name: string) => folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  const queue = [...needs.libraries, ...loadedByName.filter((name) => pathOf(name) !== undefined)];
  const seen = new Set<string>();
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const path = pathOf(name);
    if (path === undefined) throw new Error(`${program} needs ${name}, which is not found`);
    const bytes = readFileSync(path);
    if (path !== needs.interpreter) found.set(path, bytes);
    queue.push(...elfNeeds(bytes).libraries);
  }
  return found;
}
