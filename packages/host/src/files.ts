import { spawn } from "node:child_process";
import { type FileHandle, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type Processes, type ProcessIdentity, systemProcesses } from "./processes.ts";

let serial = 0;
const temporaryName = (path: string): string => `${path}.${process.pid}.${serial++}.tmp`;

/** The name of the file that is to be: `writeFileAtomic` leaves one of another name where it is killed. */
export const fileBehind = (name: string): string => name.replace(/\.\d+\.\d+\.tmp$/, "");

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

/**
 * Takes the kernel's lock on a file that this process holds open, through flock(1): the lock belongs to the open file,
 * so it stays when that command has ended, and goes with this process whatever becomes of it. `undefined` where
 * there is no such command.
 */
async function kernelLock(file: FileHandle): Promise<"taken" | "held" | undefined> {
  const { promise, resolve } = Promise.withResolvers<"taken" | "held" | undefined>();
  const child = spawn("flock", ["-x", "-n", "3"], { stdio: ["ignore", "ignore", "ignore", file.fd] });
  child.on("error", () => resolve(undefined));
  child.on("exit", (code) => resolve(code === 0 ? "taken" : "held"));
  return promise;
}

/**
 * Takes a lock for this process: a file with its pid and start time. Throws `LockHeld` while another process that is
 * alive (or another part of this one) holds it; what a dead process left behind is no obstacle. `passing`: the file goes
 * with the lock.
 */
export async function lockFile(
  path: string,
  { processes = systemProcesses, passing = false }: { readonly processes?: Processes; readonly passing?: boolean } = {},
): Promise<FileLock> {
  const own = processes.identify(process.pid) ?? { pid: process.pid, startTicks: 0 };
  const said = `${own.pid} ${own.startTicks}\n`;
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    const file = await open(path, "a+", 0o644);
    const state = await kernelLock(file);
    if (state === "held") {
      await file.close();
      throw new LockHeld(path, (await holderOf(path)) ?? { pid: 0, startTicks: 0 });
    }
    if (state === undefined) {
      await file.close();
      const lock = await lockByName(path, said, processes);
      return passing ? removing(lock) : lock;
    }
    // The one before may have taken the file away since it was opened here: then this lock keeps nobody out.
    if (await isAt(path, file)) {
      await file.truncate(0);
      await file.write(said, 0);
      const lock = { path, [Symbol.asyncDispose]: () => file.close() };
      return passing ? removing(lock) : lock;
    }
    await file.close();
  }
}

/** Takes the file away while the lock is still held. */
const removing = (lock: FileLock): FileLock => ({
  path: lock.path,
  async [Symbol.asyncDispose]() {
    await rm(lock.path, { force: true });
    await lock[Symbol.asyncDispose]();
  },
});

async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  const here = await file.stat();
  return there !== undefined && there.ino === here.ino && there.dev === here.dev;
}

/** Where there is no flock(1): a file whose existence is the lock. Two that break a stale lock at once may both succeed. */
async function lockByName(path: string, said: string, processes: Processes): Promise<FileLock> {
  const temporary = temporaryName(path);
  const named = `${path}.held`;
  await writeFileAtomic(temporary, said, { mode: 0o644 });
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        // Making a link is atomic and fails where the name exists.
        await link(temporary, named);
        return { path, [Symbol.asyncDispose]: () => rm(named, { force: true }) };
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST") || attempt === 3) throw error;
      }
      const holder = await holderOf(named);
      if (holder !== undefined && processes.isAlive(holder)) throw new LockHeld(path, holder);
      await rm(named, { force: true });
    }
  } finally {
    await rm(temporary, { force: true });
  }
}
