import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, isJsonObject } from "@skiff/base";
import { writeFileAtomic } from "@skiff/host";
import type { Store } from "@skiff/store";
import { ensurePki, type Pki } from "../pki/pki.ts";
import { ClusterError } from "../settings/cluster-error.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import { defaultPodRanges } from "../settings/pod-ranges.ts";
import { type ClusterSettings, maskSizesOf } from "../settings/settings.ts";
import { seal, unseal } from "./sealed-record.ts";

/** Where servers leave for one another what makes them one cluster. Not below `/registry/`: it is no object of the API. */
const recordKey = "/skiff/cluster";

/** The files of the folder `pki` that all servers must have alike; the others are made of them. */
export const sharedFiles = ["ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key"] as const;

/** The settings that all servers must have alike. */
type SharedSettings = Pick<
  ClusterSettings,
  "serviceCidr" | "nodePorts" | "clusterDomain" | "clusterCidr" | "nodeMaskSizes"
>;

interface SharedCluster {
  readonly settings: SharedSettings;
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Makes this server one of its cluster: what the first one has left in the datastore is taken over; where there is nothing
 * yet, this is the first, and leaves what `make` has made. Authorities and keys lie there sealed with the cluster's token.
 */
async function joinCluster(
  store: Store,
  mine: { readonly settings: ClusterSettings; readonly paths: ClusterPaths; readonly token: string },
  make: () => Promise<unknown>,
): Promise<ClusterSettings> {
  const { settings, paths, token } = mine;
  for (;;) {
    const record = await store.get(recordKey);
    if (record !== undefined) return await takeOver(open(record.value, token), settings, paths);
    await make();
    const files = await Promise.all(
      sharedFiles.map(async (name) => [name, await readFile(join(paths.pki, name), "utf8")] as const),
    );
    const { serviceCidr, nodePorts, clusterDomain, clusterCidr, nodeMaskSizes } = settings;
    const made: SharedCluster = {
      settings: { serviceCidr, nodePorts, clusterDomain, clusterCidr, nodeMaskSizes },
      files: Object.fromEntries(files),
    };
    const result = await store.commit({
      compare: [{ key: recordKey, modRevision: 0 }],
      operations: [{ kind: "put", key: recordKey, value: seal(JSON.stringify(made), token) }],
    });
    if (result.kind === "committed") return settings;
    // Another server was faster: its cluster is the cluster.
  }
}

function open(value: Uint8Array, token: string): SharedCluster {
  const text = unseal(value, token);
  if (text === undefined) {
    throw new ClusterError(
      "WRONG_TOKEN",
      "the datastore holds a cluster that was made with another token; give its own by --token-file (the file `token` of a server that is part of it)",
    );
  }
  const record: unknown = JSON.parse(text);
  const damaged = () => new ClusterError("DATASTORE_INVALID", "what the datastore holds of the cluster is damaged");
  if (!isJsonObject(record) || !isJsonObject(record.settings) || !isJsonObject(record.files)) throw damaged();
  const { serviceCidr, nodePorts, clusterDomain, clusterCidr = defaultPodRanges.clusterCidr } = record.settings;
  const nodeMaskSizes = maskSizesOf(record.settings.nodeMaskSizes) ?? defaultPodRanges.nodeMaskSizes;
  const [first, last] = Array.isArray(nodePorts) ? nodePorts : [];
  if (typeof serviceCidr !== "string" || typeof clusterDomain !== "string") throw damaged();
  if (typeof clusterCidr !== "string") throw damaged();
  if (typeof first !== "number" || typeof last !== "number") throw damaged();
  const files: Record<string, string> = {};
  for (const name of sharedFiles) {
    const file = record.files[name];
    if (typeof file !== "string") throw damaged();
    files[name] = file;
  }
  return { settings: { serviceCidr, nodePorts: [first, last], clusterDomain, clusterCidr, nodeMaskSizes }, files };
}

async function takeOver(
  cluster: SharedCluster,
  settings: ClusterSettings,
  paths: ClusterPaths,
): Promise<ClusterSettings> {
  const authority = await readFile(join(paths.pki, "ca.crt"), "utf8").catch(() => undefined);
  if (authority !== cluster.files["ca.crt"]) {
    // Certificates of an authority of this server's own are of no use in the cluster.
    await rm(paths.pki, { recursive: true, force: true });
    await mkdir(paths.pki, { mode: 0o700 });
    for (const [name, text] of Object.entries(cluster.files)) {
      await writeFileAtomic(join(paths.pki, name), text, { mode: name.endsWith(".key") ? 0o600 : 0o644 });
    }
  }
  return { ...settings, ...cluster.settings };
}

/**
 * The cluster's own certificates and keys, and its settings as they are with them: made on this machine for a cluster with
 * the embedded store, shared through the datastore otherwise.
 */
export async function establishCluster(
  settings: ClusterSettings,
  paths: ClusterPaths,
  { token, clock }: { readonly token: string | undefined; readonly clock: Clock },
): Promise<{ readonly settings: ClusterSettings; readonly pki: Pki }> {
  const { datastore } = settings;
  if (datastore === undefined) return { settings, pki: await ensurePki(paths.pki, settings, clock) };
  const { openDatastore } = await import("./open-store.ts");
  await using store = await openDatastore(datastore, clock);
  const mine = { settings, paths, token: await clusterToken(paths, token) };
  const joined = await joinCluster(store, mine, () => ensurePki(paths.pki, settings, clock));
  return { settings: joined, pki: await ensurePki(paths.pki, joined, clock) };
}

/** Where a server keeps the cluster's token. */
export const tokenFile = ({ root }: Pick<ClusterPaths, "root">): string => join(root, "token");

/** The cluster's token: given, or kept from an earlier start, or a new one. It is kept in the file `token`. */
async function clusterToken(paths: Pick<ClusterPaths, "root">, given: string | undefined): Promise<string> {
  const file = tokenFile(paths);
  const kept = await readFile(file, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
  const token = given ?? kept ?? randomBytes(24).toString("base64url");
  if (token !== kept) await writeFileAtomic(file, `${token}\n`, { mode: 0o600 });
  return token;
}
