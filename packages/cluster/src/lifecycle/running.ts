import { readFile } from "node:fs/promises";
import { type Agent, request } from "node:https";
import { join } from "node:path";
import type { Clock } from "@skiff/base";
import { type KeyPair, readNodePki, readPki } from "../pki/pki.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import { type HomeSettings, isJoined, serverUrl } from "../settings/settings.ts";
import { type ProcessRecord, readProcessRecords } from "../supervise/records.ts";
import type { Machine } from "./machine.ts";

/** A process of the cluster and whether it lives. */
export interface ProcessState extends ProcessRecord {
  readonly alive: boolean;
  /** 0 for a process that is gone. */
  readonly residentBytes: number;
}

/** All processes that the supervisor noted, itself included. */
export async function processStates(
  paths: ClusterPaths,
  machine: Pick<Machine, "processes">,
): Promise<readonly ProcessState[]> {
  const records = await readProcessRecords(paths);
  return records.map((record) => {
    const alive = machine.processes.isAlive(record);
    return { ...record, alive, residentBytes: alive ? (machine.processes.usage(record.pid)?.residentBytes ?? 0) : 0 };
  });
}

/** The supervisor of a cluster, where it lives. */
export async function livingSupervisor(paths: ClusterPaths, machine: Machine): Promise<ProcessState | undefined> {
  return (await processStates(paths, machine)).find(({ name, alive }) => name === "supervisor" && alive);
}

/**
 * Ends the supervisor with all that it watches, and what a supervisor that was killed left behind. False when none ran. What
 * is left behind may just have started another supervisor: it is looked again until nothing that is noted lives.
 */
export async function stopProcesses(
  paths: ClusterPaths,
  { machine, clock }: { readonly machine: Pick<Machine, "processes">; readonly clock: Clock },
  signal: AbortSignal,
): Promise<boolean> {
  let wasRunning = false;
  const end = async (state: ProcessState, by: NodeJS.Signals) => {
    machine.processes.signal(state, by);
    while (machine.processes.isAlive(state)) await clock.sleep(20, signal);
  };
  for (;;) {
    const living = (await processStates(paths, machine)).filter(({ alive }) => alive);
    if (living.length === 0) return wasRunning;
    const supervisor = living.find(({ name }) => name === "supervisor");
    if (supervisor === undefined) for (const state of living) await end(state, "SIGKILL");
    else {
      await end(supervisor, "SIGTERM");
      wasRunning = true;
    }
  }
}

/** Where the API server is, and who asks it. */
export interface ApiAccess {
  readonly server: string;
  /** PEM of the authority that the server is known by. */
  readonly authority: string;
  readonly identity: KeyPair;
}

/** How this machine asks the API server: as the administrator where it has the cluster, as its node where that joined one. */
export async function readAccess(settings: HomeSettings, paths: ClusterPaths): Promise<ApiAccess | undefined> {
  const server = serverUrl(settings);
  if (isJoined(settings)) {
    const pki = await readNodePki(paths.pki);
    return pki === undefined ? undefined : { server, authority: pki.authority, identity: pki.node };
  }
  const pki = await readPki(paths.pki);
  return pki === undefined ? undefined : { server, authority: pki.authority, identity: pki.admin };
}

interface ApiTarget extends ApiAccess {
  readonly path: string;
  /** Keeps connections for further requests; each makes one of its own where absent. */
  readonly agent?: Agent;
}

/** One GET of the API server; `undefined` when it cannot be reached. */
export const probeApi = (target: ApiTarget, signal: AbortSignal) =>
  askServer({ ...target, method: "GET", timeoutMs: 5_000 }, signal);

/** One request to the API server; `undefined` when it cannot be reached. */
export function askServer(
  target: ApiTarget & { readonly method: string; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  return new Promise((resolve) => {
    const call = request(
      new URL(target.path, target.server),
      {
        method: target.method,
        ca: target.authority,
        cert: target.identity.certificate,
        key: target.identity.key,
        agent: target.agent ?? false,
        timeout: target.timeoutMs,
        signal,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
        response.on("error", () => resolve(undefined));
      },
    );
    call.on("timeout", () => call.destroy());
    call.on("error", () => resolve(undefined));
    call.end();
  });
}

/** The last lines of a process' log, for a message that says why it does not start. */
export async function logTail(paths: ClusterPaths, name: string, lines: number): Promise<string> {
  const text = await readFile(join(paths.logs, `${name}.log`), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
