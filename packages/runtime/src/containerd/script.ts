import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomic } from "@skiff/host";

/** A text as one word of a shell's. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Writes a script for others to run, and its folder; false where programs may not be run from there (`noexec`). */
export async function writeScript(file: string, text: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, text, { mode: 0o755 });
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
