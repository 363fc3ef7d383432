import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@skiff/base";
import type { GrpcChannel } from "@skiff/grpc";
import { type Processes, type ProcessIdentity, systemMounts } from "@skiff/host";
import { isNotFound } from "./grpc-error.ts";
import { Containers, criNamespace, nativeCall } from "./native.ts";

/** A process that keeps the containers of one sandbox for containerd. */
interface Shim {
  /** The sandbox's id. */
  readonly id: string;
  readonly process: ProcessIdentity;
  /** The folder of what it runs; in part removed, perhaps. */
  readonly bundle: string | undefined;
}

/** How long a shim may take to end when it is asked to. */
const endMs = 3000;

/** The id that a shim of containerd at `socket` is for; `undefined` for the command line of anything else. Pure. */
export function shimId(commandLine: string, socket: string): string | undefined {
  const words = commandLine.split("\0");
  const after = (flag: string) => words[words.indexOf(flag) + 1];
  if (!words[0]?.includes("containerd-shim") || !words.includes("-id")) return undefined;
  return after("-address") === socket && after("-namespace") === criNamespace ? after("-id") : undefined;
}

/**
 * Ends shims that containerd knows nothing of. It forgets those that it was starting when it was killed: they would stay until the
 * machine's end. Gives their ids.
 */
export async function endStrayShims(
  channel: GrpcChannel,
  { socket, processes, clock }: { readonly socket: string; readonly processes: Processes; readonly clock: Clock },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ended: string[] = [];
  // Looked at first: whatever is started while containerd is asked has been made known to it before.
  for (const shim of await shimsOf(socket, processes)) {
    if (await isKnown(channel, shim.id, signal)) continue;
    await endShim(shim, { socket, processes, clock }, signal);
    ended.push(shim.id);
  }
  return ended;
}

async function isKnown(channel: GrpcChannel, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await nativeCall(channel, Containers.get, { id }, { signal, deadlineMs: 10_000 });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function shimsOf(socket: string, processes: Processes): Promise<readonly Shim[]> {
  const found: Shim[] = [];
  for (const name of (await readdir("/proc")).filter((one) => /^\d+$/.test(one))) {
    const id = shimId(await readFile(join("/proc", name, "cmdline"), "utf8").catch(() => ""), socket);
    const process = id === undefined ? undefined : processes.identify(Number(name));
    if (id === undefined || process === undefined) continue;
    const folder = await readlink(join("/proc", name, "cwd")).catch(() => undefined);
    found.push({ id, process, bundle: folder?.endsWith(`/${id}`) === true ? folder : undefined });
  }
  return found;
}

async function endShim(
  { id, process, bundle }: Shim,
  { socket, processes, clock }: { readonly socket: string; readonly processes: Processes; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  processes.signal(process, "SIGTERM");
  const deadlineMs = clock.monotonic() + endMs;
  while (processes.isAlive(process) && clock.monotonic() < deadlineMs) await clock.sleep(20, signal);
  processes.signal(process, "SIGKILL");
  if (bundle === undefined) return;
  // The shim's own way to take away what it had: the container, its socket, its mounts where it knows of them.
  const args = ["-namespace", criNamespace, "-id", id, "-address", socket, "-bundle", bundle, "delete"];
  await processes.run("containerd-shim-runc-v2", { args, cwd: bundle, timeoutMs: 10_000 }, signal).catch(() => {});
  await systemMounts(processes).unmountBelow(bundle, signal);
  const work = await readlink(join(bundle, "work")).catch(() => undefined);
  for (const folder of [work, bundle]) if (folder?.endsWith(id)) await rm(folder, { recursive: true, force: true });
}
