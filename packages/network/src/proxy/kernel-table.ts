import { isJsonObject } from "@skiff/base";
import type { NftObject } from "@skiff/host";
import { emptyElements, type MapKey, mapKeys, mapNames, type TableElements } from "./elements.ts";

/** A table as it was found in the kernel. */
export interface KernelTable {
  /** Names of all its sets; one of them is the mark of its rules. */
  readonly sets: ReadonlySet<string>;
  readonly elements: TableElements;
}

/** Reads what `nft -j list table` gives. Elements in a form that this proxy never writes are left out. */
export function readKernelTable(objects: readonly NftObject[]): KernelTable {
  const elements = emptyElements();
  const sets = new Set<string>();
  const known = new Map<string, MapKey>(mapKeys.map((map) => [mapNames[map], map]));
  for (const object of objects) {
    const holder = object.map ?? object.set;
    if (!isJsonObject(holder) || typeof holder.name !== "string") continue;
    sets.add(holder.name);
    const map = known.get(holder.name);
    if (map === undefined || !Array.isArray(holder.elem)) continue;
    for (const element of holder.elem) {
      const [key, value] = Array.isArray(element) ? [textOf(element[0]), textOf(element[1])] : [textOf(element), ""];
      if (key !== undefined && value !== undefined) elements[map].set(key, value);
    }
  }
  return { sets, elements };
}

/** An element's key or value as it is written in nft's language. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (!isJsonObject(value)) return undefined;
  if (Array.isArray(value.concat)) {
    const parts = value.concat.map(textOf);
    return parts.includes(undefined) ? undefined : parts.join(" . ");
  }
  if ("drop" in value) return "drop";
  for (const verdict of ["goto", "jump"]) {
    const target = value[verdict];
    if (isJsonObject(target) && typeof target.target === "string") return `${verdict} ${target.target}`;
  }
  return undefined;
}
