import { readFile } from "node:fs/promises";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { writeFileAtomic } from "@skiff/host";

/** A state file that was changed by somebody else, or was not written whole. */
export class StateFileError extends Error {
  override readonly name = "StateFileError";
  readonly code = "STATE_CORRUPT";
}

/** FNV-1a, 32 bits. */
export function checksumOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Writes an object with a checksum of the rest of it under the given name. */
export async function writeStateFile(path: string, state: JsonObject, member = "checksum"): Promise<void> {
  const checked = { ...state, [member]: checksumOf(JSON.stringify(state)) };
  await writeFileAtomic(path, JSON.stringify(checked), { mode: 0o600 });
}

/** What was written; `undefined` where there is no file. Throws `StateFileError` where it is not what was written. */
export async function readStateFile(path: string, member = "checksum"): Promise<JsonObject | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const value = parse(text);
  if (!isJsonObject(value)) throw new StateFileError(`${path} is not a state file`);
  const { [member]: checksum, ...state } = value;
  if (checksum !== checksumOf(JSON.stringify(state))) throw new StateFileError(`checkpoint is corrupted: ${path}`);
  return state;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
