import { watch } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type Clock, resolvedOrAborted } from "@skiff/base";
import { lineTimeMs, parseLogLine, shownTime } from "./cri-log.ts";
import { splitLines } from "./read-log.ts";

/** What of a log is wanted, as in `kubectl logs`. */
export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Absent: from the beginning. */
  readonly tailLines?: number;
  /** Epoch milliseconds, whole ones; older lines are left out. */
  readonly sinceMs?: number;
  readonly limitBytes?: number;
  readonly stream?: "stdout" | "stderr";
}

export interface LogSource {
  readonly path: string;
  /** Whether more may come. It answers `false` once all is in the file. */
  readonly isRunning: () => boolean | Promise<boolean>;
  readonly clock: Clock;
}

const blockBytes = 64 * 1024;
/** How often a followed log is looked at although nothing was heard: the container may have ended in silence. */
const lookMs = 500;

/** A container's log as its process wrote it, piece by piece. */
export async function* containerLog(
  source: LogSource,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let begins = true;
  for await (const line of logLines(source, options, signal)) {
    const parsed = parseLogLine(line);
    if (parsed === undefined) continue;
    if (options.stream !== undefined && parsed.stream !== options.stream) continue;
    if (options.sinceMs !== undefined && lineTimeMs(parsed) < options.sinceMs) continue;
    // What goes on with a line that the runtime wrote in parts has no time of its own.
    const parts = [...(options.timestamps && begins ? [Buffer.from(`${shownTime(parsed)} `)] : []), parsed.text];
    begins = !parsed.partial;
    const text = Buffer.concat(parsed.partial ? parts : [...parts, Buffer.from("\n")]);
    if (text.length >= left) {
      yield text.subarray(0, left);
      return;
    }
    left -= text.length;
    yield text;
  }
}

async function* logLines(source: LogSource, options: LogOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  let file = await open(source.path, "r");
  try {
    using changes = options.follow ? changesOf(source.path) : undefined;
    let position = options.tailLines === undefined ? 0 : await tailStart(file, options.tailLines);
    let rest: Buffer = Buffer.alloc(0);
    // Lines that are written after the last ones were counted are not wanted, unless by those who follow.
    let left = options.follow ? Number.POSITIVE_INFINITY : (options.tailLines ?? Number.POSITIVE_INFINITY);
    for (;;) {
      // Asked before reading: what was written before the end is then read.
      const running = await source.isRunning();
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(blockBytes), 0, blockBytes, position);
        if (bytesRead === 0) break;
        position += bytesRead;
        const all = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = all.lastIndexOf(10) + 1;
        for (const line of splitLines(all.subarray(0, end))) {
          if (left-- <= 0) return;
          yield line;
        }
        rest = all.subarray(end);
        signal.throwIfAborted();
      }
      if (changes === undefined) return;
      const next = await rotated(source.path, file);
      if (next !== undefined) {
        await file.close();
        file = next;
        position = 0;
        continue;
      }
      if (!running) return;
      await changes.next(source.clock, signal);
      signal.throwIfAborted();
    }
  } finally {
    await file.close();
  }
}

/** The file that took the place of an open one, if any. */
async function rotated(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [now, then] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  return now === undefined || now.ino === then.ino ? undefined : await open(path, "r");
}

/** Hears of changes to a file, also when another file takes its name. */
function changesOf(path: string) {
  let heard = Promise.withResolvers<void>();
  const name = basename(path);
  const watcher = watch(dirname(path), (_, file) => {
    if (file === null || file === name) heard.resolve();
  });
  watcher.on("error", () => {});
  return {
    async next(clock: Clock, signal: AbortSignal): Promise<void> {
      using _ = clock.after(lookMs, () => heard.resolve());
      await resolvedOrAborted(heard.promise, signal);
      heard = Promise.withResolvers<void>();
    },
    [Symbol.dispose]: () => watcher.close(),
  };
}

/** Where the last `lines` lines of a file begin. */
async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - blockBytes);
    const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let at = buffer.length - 1; at >= 0; at--) {
      // The newline that ends the file ends the last line, it does not begin one.
      if (buffer[at] === 10 && start + at !== size - 1 && ++found === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}
