import { readFile } from "node:fs/promises";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { parse } from "yaml";
import { ClusterError } from "../settings/settings.ts";

/** An operating failure in what an option names; the message says which. */
export const badOption = (name: string, why: string, cause?: unknown): ClusterError =>
  new ClusterError("OPTION_INVALID", `--${name}: ${why}`, cause === undefined ? {} : { cause });

/** The content of a file that an option names. */
export async function readOption(name: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw badOption(name, `cannot read ${path}: ${error.message}`, error);
  });
}

/** A file of `apiserver.config.k8s.io`, of the kind that is wanted. */
export async function readConfiguration(name: string, path: string, kind: string): Promise<JsonObject> {
  let value: unknown;
  const text = await readOption(name, path);
  try {
    value = parse(text);
  } catch (error) {
    throw badOption(name, `${path} is neither YAML nor JSON`, error);
  }
  if (
    !isJsonObject(value) ||
    value.kind !== kind ||
    !/^apiserver\.config\.k8s\.io\/v1/.test(stringOf(value.apiVersion))
  ) {
    throw badOption(name, `${path} is no ${kind} of apiserver.config.k8s.io/v1`);
  }
  return value;
}

const stringOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** `2m`, `1h30m`, `500ms` in milliseconds; `undefined` for other texts. */
export function durationMs(text: string): number | undefined {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (units[unit] ?? 0);
  }
  return total;
}

/** The objects of a list; nothing where it is none. */
export const objectsOf = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

/** The texts of a list; nothing where it is none. */
export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** A text, `undefined` where there is none. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
