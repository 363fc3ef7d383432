import { readFile } from "node:fs/promises";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { writeFileAtomic } from "@skiff/host";
import { type Datastore, parseDatastore } from "../datastore/datastore.ts";
import type { ApiServerFlags } from "../identity/api-server-flags.ts";
import { ClusterError } from "./cluster-error.ts";
import type { ClusterPaths } from "./paths.ts";
import { defaultPodRanges } from "./pod-ranges.ts";

export { ClusterError } from "./cluster-error.ts";

/** What a pod's containers run on. */
export type RuntimeKind = "containerd" | "simulated";

/** What was decided for the node of this machine, whichever machine its cluster's server is on. */
export interface NodeSettings {
  /** The cluster's name on this machine. */
  readonly name: string;
  readonly runtime: RuntimeKind;
  readonly nodeName: string;
  /** The node's own address. */
  readonly nodeIp: string;
  readonly kubeletPort: number;
  /** What nodes are given ranges for their pods from: one network, or one of each family with a comma between. */
  readonly clusterCidr: string;
  /** How long the prefixes of nodes' ranges are, in the same order. */
  readonly nodeMaskSizes: readonly number[];
  /** The range that this node would like for its pods: no other cluster of the machine wants it. */
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
  /** Short and unique on this machine: part of the names of links, tables and cgroups. */
  readonly slot: number;
  /** Options of the kubelet that the node was last started with, as in `max-pods=200`. */
  readonly kubeletArgs?: readonly string[];
}

/**
 * What was decided when the cluster was first started, and never changes afterwards: certificates, the store and
 * running pods depend on it. Written to `cluster.json`. Clients and pods reach the API server at the node's address.
 */
export interface ClusterSettings extends NodeSettings {
  readonly apiPort: number;
  /** First and last port of the NodePort range. */
  readonly nodePorts: readonly [number, number];
  /** Names and addresses beside its own that the API server is reached by: a load balancer's, one behind a translation. */
  readonly serverNames?: readonly string[];
  /** Options of kube-apiserver that the cluster was last started with. */
  readonly apiServerFlags?: ApiServerFlags;
  /** The nodes of this machine, the first among them; absent where it always was the only one. */
  readonly nodes?: NodesOfMachine;
  /** How many simulated nodes stand beside the real one; absent where there never were any. */
  readonly simulatedNodes?: number;
  /** File with a KubeSchedulerConfiguration, in place of the one in the cluster's folder. */
  readonly schedulerConfig?: string;
  /** The etcd that keeps the cluster's state; absent where it is the embedded store. */
  readonly datastore?: Datastore;
}

/** Several nodes on one machine. */
export interface NodesOfMachine {
  readonly count: number;
  /** The network that those beside the first are in, as in `10.201.0.0/24`. */
  readonly range: string;
}

/** A node that joined a cluster whose server is elsewhere. Written to `cluster.json` in the place of a cluster's settings. */
export interface JoinedSettings extends NodeSettings {
  /** Where it reaches the API server, as in `https://10.0.0.1:6443`. */
  readonly server: string;
}

/** What a home holds: a whole cluster, or a node of one. */
export type HomeSettings = ClusterSettings | JoinedSettings;

export const isJoined = (settings: HomeSettings): settings is JoinedSettings => "server" in settings;

/** Where this machine reaches the API server. */
export const serverUrl = (settings: HomeSettings): string =>
  isJoined(settings) ? settings.server : `https://127.0.0.1:${settings.apiPort}`;

/** Port of the NFS server for volumes that many pods share, where the machine has one. */
export const nfsPort = ({ slot }: Pick<NodeSettings, "slot">): number => 20_490 + slot;

/** The settings of a cluster that was started before, or `undefined`. Throws `ClusterError` for a node that joined one. */
export async function readSettings(paths: ClusterPaths): Promise<ClusterSettings | undefined> {
  const settings = await readHomeSettings(paths);
  if (settings === undefined || !isJoined(settings)) return settings;
  const { nodeName, server } = settings;
  throw new ClusterError(
    "JOINED",
    `${paths.root} holds node ${nodeName}, which joined the cluster of ${server}: it is started with skiff join, and all else is done where the cluster's server is`,
  );
}

/** The settings of a cluster or of a node that joined one, or `undefined`. */
export async function readHomeSettings(paths: ClusterPaths): Promise<HomeSettings | undefined> {
  const text = await readFile(paths.settings, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new ClusterError("HOME_UNREADABLE", `cannot read ${paths.settings}: ${error.message}`, { cause: error });
  });
  return text === undefined ? undefined : parseSettings(text, paths.settings);
}

/** Settings from the text of `cluster.json`. */
export function parseSettings(text: string, path: string): HomeSettings {
  const damaged = (what: string) =>
    new ClusterError(
      "SETTINGS_DAMAGED",
      `${path} is damaged (${what}); restore it (${path}.copy is as it was written last) or delete the cluster`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged("not JSON");
  }
  if (!isJsonObject(value)) throw damaged("not an object");
  const record = value;
  const string = (field: string): string => {
    const member = record[field];
    if (typeof member !== "string" || member === "") throw damaged(`${field} is missing`);
    return member;
  };
  const number = (member: unknown, field: string): number => {
    if (typeof member !== "number" || !Number.isInteger(member)) throw damaged(`${field} is missing`);
    return member;
  };
  const runtime = string("runtime");
  if (runtime !== "containerd" && runtime !== "simulated") throw damaged(`unknown runtime ${runtime}`);
  const node: NodeSettings = {
    name: string("name"),
    runtime,
    nodeName: string("nodeName"),
    nodeIp: string("nodeIp"),
    kubeletPort: number(record.kubeletPort, "kubeletPort"),
    // Clusters that are older had these.
    clusterCidr: record.clusterCidr === undefined ? defaultPodRanges.clusterCidr : string("clusterCidr"),
    nodeMaskSizes: maskSizesOf(record.nodeMaskSizes) ?? defaultPodRanges.nodeMaskSizes,
    podCidr: string("podCidr"),
    serviceCidr: string("serviceCidr"),
    clusterDomain: string("clusterDomain"),
    slot: number(record.slot, "slot"),
    ...(Array.isArray(record.kubeletArgs) ? { kubeletArgs: textsOf(record.kubeletArgs) } : {}),
  };
  if (record.server !== undefined) return { ...node, server: string("server") };
  const nodes = record.nodes === undefined ? undefined : nodesOf(record.nodes);
  if (nodes === "damaged") throw damaged("nodes are no nodes");
  const ports = Array.isArray(record.nodePorts) ? record.nodePorts : [];
  const datastore = parseDatastore(record.datastore);
  if (datastore === "damaged") throw damaged("datastore is no datastore");
  return {
    ...node,
    apiPort: number(record.apiPort, "apiPort"),
    nodePorts: [number(ports[0], "nodePorts"), number(ports[1], "nodePorts")],
    ...(Array.isArray(record.serverNames) ? { serverNames: textsOf(record.serverNames) } : {}),
    ...(isJsonObject(record.apiServerFlags) ? { apiServerFlags: flagsOf(record.apiServerFlags) } : {}),
    ...(nodes === undefined ? {} : { nodes }),
    ...(record.simulatedNodes === undefined ? {} : { simulatedNodes: number(record.simulatedNodes, "simulatedNodes") }),
    ...(typeof record.schedulerConfig === "string" ? { schedulerConfig: record.schedulerConfig } : {}),
    ...(datastore === undefined ? {} : { datastore }),
  };
}

function nodesOf(value: unknown): NodesOfMachine | "damaged" {
  if (!isJsonObject(value)) return "damaged";
  const { count, range } = value;
  const isWhole = typeof count === "number" && Number.isInteger(count) && typeof range === "string";
  return isWhole ? { count, range } : "damaged";
}

/** `undefined` for what is no list of numbers. */
export function maskSizesOf(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value) || !value.every((size) => typeof size === "number")) return undefined;
  return value;
}

const textsOf = (values: readonly unknown[]): string[] => values.filter((value) => typeof value === "string");

const flagsOf = (record: JsonObject): ApiServerFlags =>
  Object.fromEntries(
    Object.entries(record).map(([name, values]): [string, string[]] => [
      name,
      Array.isArray(values) ? textsOf(values) : [],
    ]),
  );

/** Writes the settings, whole or not at all, and a copy: where they get damaged, the cluster can still be deleted. */
export async function writeSettings(paths: ClusterPaths, settings: HomeSettings): Promise<void> {
  const text = `${JSON.stringify(settings, undefined, 2)}\n`;
  await writeFileAtomic(settingsCopy(paths), text, { mode: 0o600 });
  await writeFileAtomic(paths.settings, text, { mode: 0o600 });
}

/** Where the copy of the settings lies. */
export const settingsCopy = ({ settings }: Pick<ClusterPaths, "settings">): string => `${settings}.copy`;

/** Names on this machine that a cluster's slot makes its own. Link names hold 15 characters at most. */
export const machineNames = ({ slot }: Pick<NodeSettings, "slot">) => ({
  bridge: `skiff${slot}`,
  nftTable: `skiff${slot}`,
  cgroup: `/kubepods-skiff${slot}`,
  /** Leads to nodes behind routers. */
  tunnel: `skiff${slot}v`,
  /** The bridge that further nodes of this machine hang on, and the nft table of their way out. */
  nodeBridge: `skiff${slot}n`,
  /** Marks the routes to other nodes; numbers from here on are nobody's (`/etc/iproute2/rt_protos`). */
  routeProtocol: String(100 + slot),
});

/** The nth address of an IPv4 network, as in `nthAddress("10.96.0.0/16", 10)` = `10.96.0.10`. */
export function nthAddress(cidr: string, n: number): string {
  const [network = ""] = cidr.split("/");
  const base = network.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const address = base + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** The API server's own Service address: the first of the range. */
export const kubernetesServiceIp = (settings: Pick<NodeSettings, "serviceCidr">): string =>
  nthAddress(settings.serviceCidr, 1);

/** The cluster DNS Service's address: the tenth, where every Kubernetes has it. */
export const clusterDnsIp = (settings: Pick<NodeSettings, "serviceCidr">): string =>
  nthAddress(settings.serviceCidr, 10);
