import type { ConfigMap, KeyToPath, Secret } from "@skiff/api";
import type { VolumeFile } from "./atomic-writer.ts";
import { VolumeFailure } from "./volume-plugin.ts";

export interface Selection {
  readonly items: readonly KeyToPath[] | undefined;
  readonly mode: number;
  readonly optional: boolean;
  /** What a key is called in the message that one is missing. */
  readonly keyOf: "config" | "secret";
}

/** The values of a ConfigMap or Secret as bytes, by key. */
export function bytesOf(object: ConfigMap | Secret, kind: "configMap" | "secret"): ReadonlyMap<string, Uint8Array> {
  const bytes = new Map<string, Uint8Array>();
  const encoding = kind === "secret" ? "base64" : "utf8";
  for (const [key, value] of Object.entries(object.data ?? {})) bytes.set(key, Buffer.from(value, encoding));
  if ("binaryData" in object) {
    for (const [key, value] of Object.entries(object.binaryData ?? {})) bytes.set(key, Buffer.from(value, "base64"));
  }
  return bytes;
}

/** The files that keys become: all of them under their own names, or the chosen ones where they are wanted. */
export function selectFiles(bytes: ReadonlyMap<string, Uint8Array>, selection: Selection): Map<string, VolumeFile> {
  const files = new Map<string, VolumeFile>();
  if (selection.items === undefined || selection.items.length === 0) {
    for (const [key, data] of bytes) files.set(key, { data, mode: selection.mode });
    return files;
  }
  for (const { key, path, mode } of selection.items) {
    const data = bytes.get(key);
    if (data === undefined) {
      if (selection.optional) continue;
      throw new VolumeFailure(`references non-existent ${selection.keyOf} key: ${key}`);
    }
    files.set(path, { data, mode: mode ?? selection.mode });
  }
  return files;
}
