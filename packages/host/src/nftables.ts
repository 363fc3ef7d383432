import { type CommandResult, type Processes, systemProcesses } from "./processes.ts";

/** One element of nft's JSON: `{ "table": {…} }`, `{ "map": {…} }`, … */
export type NftObject = Readonly<Record<string, unknown>>;

/** The kernel's packet rules, through nft. Rules are set in transactions: all of a script takes effect, or nothing. */
export interface Nftables {
  /**
   * Applies a script in nft's own language. Throws `NftablesError` with nft's message.
   * Scripts of more than `transactionLimitLines` lines are refused unseen: rules or anonymous sets per Service make
   * transactions that lock the kernel up. What varies belongs in named maps and sets, updated in batches.
   */
  apply(script: string, signal: AbortSignal): Promise<void>;
  /** Everything in a table, or `undefined` when there is no such table. `family` as in `inet`, `ip`. */
  listTable(family: string, table: string, signal: AbortSignal): Promise<readonly NftObject[] | undefined>;
  /** Takes a table away; fine when there is none. */
  deleteTable(family: string, table: string, signal: AbortSignal): Promise<void>;
}

/** More lines in one transaction are refused. */
export const transactionLimitLines = 2000;

export type NftablesErrorCode = "TRANSACTION_TOO_LARGE" | "REJECTED";

export class NftablesError extends Error {
  override name = "NftablesError";
  readonly code: NftablesErrorCode;
  constructor(code: NftablesErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Throws `NftablesError` where a script has too many lines for one transaction. */
export function checkTransaction(script: string): void {
  let lines = 1;
  for (let at = script.indexOf("\n"); at >= 0; at = script.indexOf("\n", at + 1)) lines++;
  if (script.endsWith("\n")) lines--;
  if (lines > transactionLimitLines) {
    throw new NftablesError(
      "TRANSACTION_TOO_LARGE",
      `an nftables transaction of ${lines} lines is refused (limit ${transactionLimitLines}): split it into batches`,
    );
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const rejected = (result: CommandResult) =>
  new NftablesError("REJECTED", `nft: ${result.stderr.trim() || `exit code ${result.code}`}`);

/** nft of this machine (or of the network namespace that this process is in). */
export function systemNftables(processes: Processes = systemProcesses): Nftables {
  return {
    async apply(script, signal) {
      checkTransaction(script);
      const result = await processes.run("nft", { args: ["-f", "-"], stdin: script, timeoutMs: 30_000 }, signal);
      if (result.code !== 0) throw rejected(result);
    },
    async listTable(family, table, signal) {
      const args = ["-j", "list", "table", family, table];
      const result = await processes.run("nft", { args, timeoutMs: 30_000 }, signal);
      if (result.code !== 0) {
        if (result.stderr.includes("No such file or directory")) return undefined;
        throw rejected(result);
      }
      const parsed: unknown = JSON.parse(result.stdout);
      const objects = isObject(parsed) ? parsed.nftables : undefined;
      return Array.isArray(objects) ? objects.filter(isObject).filter((object) => !("metainfo" in object)) : [];
    },
    async deleteTable(family, table, signal) {
      const args = ["delete", "table", family, table];
      const result = await processes.run("nft", { args, timeoutMs: 30_000 }, signal);
      if (result.code !== 0 && !result.stderr.includes("No such file or directory")) throw rejected(result);
    },
  };
}

/** Keeps the scripts it is given, for tests. */
export class RecordingNftables implements Nftables {
  readonly scripts: string[] = [];
  /** Thrown by the next `apply`, once. */
  failNext: Error | undefined;

  async apply(script: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    checkTransaction(script);
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure !== undefined) throw failure;
    this.scripts.push(script);
  }

  async listTable(): Promise<readonly NftObject[] | undefined> {
    return this.scripts.length === 0 ? undefined : [];
  }

  async deleteTable(): Promise<void> {
    this.scripts.length = 0;
  }
}
