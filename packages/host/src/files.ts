import { link, mkdir, open, readFile, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { type Processes, type ProcessIdentity, systemProcesses } from "./processes.ts";

let serial = 0;
const temporaryName = (path: string): string => `${path}.${process.pid}.${serial++}.tmp`;

/**
 * Writes a file so that others see it whole or not at all, also after a crash of the machine: a new file is written,
 * made durable and renamed over the old one. `mode` as in `0o600`.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  options: { readonly mode: number },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    await using file = await open(temporary, "wx", options.mode);
    // The process' umask does not weaken what was asked for.
    await file.chmod(options.mode);
    await file.writeFile(content);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Another process holds the lock. */
export class LockHeld extends Error {
  override name = "LockHeld";
  readonly code = "LOCK_HELD";
  readonly holder: ProcessIdentity;
  constructor(path: string, holder: ProcessIdentity) {
    super(`${path} is held by process ${holder.pid}`);
    this.holder = holder;
  }
}

/** A lock that is held until it is disposed of. */
export interface FileLock extends AsyncDisposable {
  readonly path: string;
}

async function holderOf(path: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const [pid, startTicks] = text.trim().split(" ").map(Number);
  return pid === undefined || startTicks === undefined || Number.isNaN(pid) || Number.isNaN(startTicks)
    ? undefined
    : { pid, startTicks };
}

/** Takes a lock file away that no living process holds, and only that: another may have taken the lock meanwhile. */
async function breakStale(path: string, processes: Processes): Promise<void> {
  const aside = temporaryName(path);
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const taken = await holderOf(aside);
  if (taken !== undefined && processes.isAlive(taken)) await link(aside, path).catch(() => {});
  await unlink(aside);
}

/**
 * Takes a lock for this process: a file with its pid and start time. Throws `LockHeld` while another process that is
 * alive holds it; what a dead process left behind is no obstacle.
 */
export async function lockFile(path: string, processes: Processes = systemProcesses): Promise<FileLock> {
  const own = processes.identify(process.pid) ?? { pid: process.pid, startTicks: 0 };
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  await writeFileAtomic(temporary, `${own.pid} ${own.startTicks}\n`, { mode: 0o644 });
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        // Making a link is atomic and fails where the name exists.
        await link(temporary, path);
        return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST") || attempt === 20) throw error;
      }
      const holder = await holderOf(path);
      if (holder !== undefined && processes.isAlive(holder)) throw new LockHeld(path, holder);
      await breakStale(path, processes);
    }
  } finally {
    await rm(temporary, { force: true });
  }
}
