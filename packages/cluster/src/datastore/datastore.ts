import { readFile } from "node:fs/promises";
import { isJsonObject } from "@skiff/base";
import { ClusterError } from "../settings/cluster-error.ts";

/** An etcd that keeps a cluster's state, where that is not the embedded store. Files hold PEM texts. */
export interface Datastore {
  /** `https://HOST:PORT`, or `http://` for an etcd without TLS. */
  readonly endpoints: readonly string[];
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Stands before all keys, so that several clusters may share an etcd; empty where it is not given. */
  readonly prefix: string;
}

const files = ["caFile", "certFile", "keyFile"] as const;

/** Throws `ClusterError` unless the endpoints are addresses that etcd could have. */
export function checkDatastore({ endpoints, certFile, keyFile }: Datastore): void {
  const wrong = (what: string) => new ClusterError("DATASTORE_INVALID", what);
  if (endpoints.length === 0) throw wrong("--datastore-endpoints names no endpoint");
  for (const text of endpoints) {
    const url = URL.parse(text);
    if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
      throw wrong(`--datastore-endpoints: ${text} is no endpoint of etcd; give https://HOST:PORT`);
    }
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw wrong("--datastore-certfile and --datastore-keyfile belong together");
  }
}

/** The part of `cluster.json` about it; `undefined` where the store is the embedded one, `"damaged"` where it is neither. */
export function parseDatastore(value: unknown): Datastore | undefined | "damaged" {
  if (value === undefined) return undefined;
  if (!isJsonObject(value) || !Array.isArray(value.endpoints)) return "damaged";
  const endpoints = value.endpoints.filter((endpoint) => typeof endpoint === "string");
  const named = files.flatMap((name): [string, string][] => {
    const member = value[name];
    return typeof member === "string" ? [[name, member]] : [];
  });
  return { endpoints, prefix: typeof value.prefix === "string" ? value.prefix : "", ...Object.fromEntries(named) };
}

/** The certificates that a connection needs. Throws `ClusterError` for files that cannot be read. */
export async function datastoreTls(
  datastore: Datastore,
): Promise<{ readonly ca?: string; readonly cert?: string; readonly key?: string }> {
  const texts = await Promise.all(
    files.map(async (name): Promise<[string, string] | undefined> => {
      const path = datastore[name];
      if (path === undefined) return undefined;
      try {
        return [name.replace("File", ""), await readFile(path, "utf8")];
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new ClusterError("DATASTORE_INVALID", `cannot read ${path}: ${why}`, { cause: error });
      }
    }),
  );
  return Object.fromEntries(texts.filter((entry) => entry !== undefined));
}
