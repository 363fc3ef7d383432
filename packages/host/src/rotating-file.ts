import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";

/** How large a log grows and how much of it is kept. */
export interface RotationLimits {
  /** A file that would grow beyond this is put aside, and a new one begun. 0: never. */
  readonly maxBytes: number;
  /** So many files that were put aside are kept. 0: all. */
  readonly maxBackups: number;
  /** They are kept for so long. 0: for ever. */
  readonly maxAgeMs: number;
}

/** So much may wait for a slow disk; what comes then is counted, and dropped. */
const waitingLimitBytes = 64 * 1024 * 1024;

/**
 * A log that is written line by line and does not grow without end: `audit.log` becomes `audit-2026-01-02T03-04-05.678.log` when
 * it is full. Writing never makes the caller wait.
 */
export class RotatingFile implements AsyncDisposable {
  readonly #path: string;
  readonly #limits: RotationLimits;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  #stream: WriteStream;
  #size: number;
  #lines: string[] = [];
  #linesBytes = 0;
  #writing: Promise<void> | undefined;
  /** Lines that were dropped because the disk was too slow. */
  dropped = 0;

  private constructor(
    path: string,
    limits: RotationLimits,
    way: { readonly now: () => number; readonly onError: (error: unknown) => void; readonly size: number },
  ) {
    this.#path = path;
    this.#limits = limits;
    this.#now = way.now;
    this.#onError = way.onError;
    this.#size = way.size;
    this.#stream = this.#open();
  }

  /** Opens the file, or goes on with it. `now` gives epoch milliseconds; `onError` hears of writes that failed. */
  static async open(
    path: string,
    limits: RotationLimits,
    way: { readonly now: () => number; readonly onError: (error: unknown) => void },
  ): Promise<RotatingFile> {
    await mkdir(dirname(path), { recursive: true });
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    return new RotatingFile(path, limits, { ...way, size });
  }

  /** Adds a line; the line end is added, too. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#linesBytes + bytes > waitingLimitBytes) {
      this.dropped++;
      return;
    }
    this.#lines.push(`${line}\n`);
    this.#linesBytes += bytes;
    this.#writing ??= this.#drain();
  }

  /** Writes what waits, then closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await closed(this.#stream);
  }

  async #drain(): Promise<void> {
    // What one turn of the event loop brings is written in one piece.
    await Promise.resolve();
    try {
      while (this.#lines.length > 0) await this.#writePiece();
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#writing = undefined;
      if (this.#lines.length > 0) this.#writing = this.#drain();
    }
  }

  async #writePiece(): Promise<void> {
    const { maxBytes } = this.#limits;
    let piece = "";
    let bytes = 0;
    let taken = 0;
    for (const line of this.#lines) {
      const length = Buffer.byteLength(line);
      if (maxBytes > 0 && this.#size + bytes > 0 && this.#size + bytes + length > maxBytes) break;
      piece += line;
      bytes += length;
      taken++;
    }
    if (taken === 0) return await this.#rotate();
    this.#lines = this.#lines.slice(taken);
    this.#linesBytes -= bytes;
    this.#size += bytes;
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }

  async #rotate(): Promise<void> {
    await closed(this.#stream);
    const { folder, stem, extension } = this.#parts();
    const at = new Date(this.#now()).toISOString().replaceAll(":", "-").replace("Z", "");
    await rename(this.#path, join(folder, `${stem}-${at}${extension}`));
    this.#size = 0;
    this.#stream = this.#open();
    await this.#removeOld();
  }

  async #removeOld(): Promise<void> {
    const { maxBackups, maxAgeMs } = this.#limits;
    const { folder, stem, extension } = this.#parts();
    const backups = (await readdir(folder))
      .filter((name) => name.startsWith(`${stem}-`) && name.endsWith(extension))
      .sort()
      .reverse();
    const oldest = this.#now() - maxAgeMs;
    const old = backups.filter((name, at) => {
      if (maxBackups > 0 && at >= maxBackups) return true;
      const time = name.slice(stem.length + 1, name.length - extension.length);
      const ms = Date.parse(`${time.replace(/T(\d\d)-(\d\d)-/, "T$1:$2:")}Z`);
      return maxAgeMs > 0 && ms < oldest;
    });
    await Promise.all(old.map((name) => rm(join(folder, name), { force: true })));
  }

  #parts(): { readonly folder: string; readonly stem: string; readonly extension: string } {
    const extension = extname(this.#path);
    return { folder: dirname(this.#path), stem: basename(this.#path, extension), extension };
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#path, { flags: "a", mode: 0o600 });
    stream.on("error", this.#onError);
    return stream;
  }
}

const closed = (stream: WriteStream): Promise<void> => new Promise((resolve) => void stream.end(() => resolve()));
