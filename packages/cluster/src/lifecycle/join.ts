import { X509Certificate } from "node:crypto";
import { ConfigMaps, isNotFound, Nodes } from "@skiff/api";
import { type Clock, jsonEqual } from "@skiff/base";
import { type Client, createClient, httpsTransport } from "@skiff/client";
import { registerNode } from "../agent/pod-range.ts";
import { type BootstrapToken, parseToken } from "../join/bootstrap-token.ts";
import { factsOf, factsPlace } from "../join/cluster-facts.ts";
import { discover } from "../join/discovery.ts";
import { clientCertificate, servingCertificate } from "../join/node-certificates.ts";
import { readNodePki, writeNodePki } from "../pki/pki.ts";
import { chooseSlot, kubeletPortOf, nodeNameOf } from "../settings/choose.ts";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { wantedPodRange } from "../settings/pod-ranges.ts";
import {
  ClusterError,
  type HomeSettings,
  isJoined,
  type JoinedSettings,
  type RuntimeKind,
  readHomeSettings,
  writeSettings,
} from "../settings/settings.ts";
import { claimSlot } from "../settings/slots.ts";
import { StartProbe, waitFor } from "./await-start.ts";
import type { Machine } from "./machine.ts";
import {
  checkKubeletArgs,
  checkPorts,
  checkRuntime,
  ensurePackages,
  makeFolders,
  nodeDeadlineMs,
  type StartReport,
  startProcesses,
  takeLock,
} from "./prepare-home.ts";
import { livingSupervisor, readAccess } from "./running.ts";
import type { SelfCommand } from "./self-command.ts";

/** What `skiff join` was asked for. */
export interface JoinOptions {
  readonly name: string;
  readonly home: string;
  /** `https://HOST:PORT` of an API server of the cluster; absent: that which the node joined before. */
  readonly server?: string | undefined;
  /** A bootstrap token, `ID.SECRET`; a node that joined before needs none. */
  readonly token?: string | undefined;
  /** `sha256:…` of the cluster's authority; absent: the token alone proves that it is the cluster. */
  readonly caHash?: string | undefined;
  /** Absent: the machine's name, or the one before. */
  readonly nodeName?: string | undefined;
  /** Absent: the address by which the server is reached, or the one before. */
  readonly nodeIp?: string | undefined;
  /** Absent: containerd, or the one before. */
  readonly runtime?: RuntimeKind | undefined;
  /** Options of the kubelet, as in `max-pods=200`, in place of those before; empty: those stay. */
  readonly kubeletArgs?: readonly string[];
  readonly isRoot: boolean;
  readonly self: SelfCommand;
}

export interface JoinResult {
  readonly settings: JoinedSettings;
  /** It was running before. */
  readonly already: boolean;
  /** From the call until the node was Ready; 0 where it was running before. */
  readonly nodeReadyMs: number;
}

interface JoinEffects {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly report: StartReport;
}

/** Makes this machine a node of a cluster, or starts it again as that. Throws `ClusterError` with what to do. */
export async function joinCluster(
  options: JoinOptions,
  effects: JoinEffects,
  signal: AbortSignal,
): Promise<JoinResult> {
  const { machine, clock, report } = effects;
  const startMs = clock.monotonic();
  const paths = clusterPaths(options.home, options.name);
  await makeFolders(paths);
  await using _lock = await takeLock(paths);
  const before = joinedBefore(await readHomeSettings(paths), paths, options);
  const running = before !== undefined && (await livingSupervisor(paths, machine)) !== undefined;
  if (running) checkRunning(before, options);
  else {
    const runtime = before?.runtime ?? options.runtime ?? "containerd";
    checkRuntime(runtime, options);
    if (options.kubeletArgs !== undefined) await checkKubeletArgs(options.kubeletArgs, paths);
    if (runtime === "containerd") await ensurePackages(machine, { ...options, report }, signal);
  }
  const isKnown = before !== undefined && (running || (await isCertified(paths, clock)));
  const chosen = isKnown ? before : await becomeNode(before, options, { ...effects, paths }, signal);
  const { kubeletArgs = [] } = options;
  const settings = kubeletArgs.length === 0 ? chosen : { ...chosen, kubeletArgs };
  const sinceMs = running ? 0 : clock.now();
  if (!running) {
    await checkPorts(settings, { "the kubelet": settings.kubeletPort });
    await claimSlot(settings.slot, paths, clock);
    await writeSettings(paths, settings);
    await startProcesses(options, settings, { paths, machine, clock }, signal);
  }
  report.step(`Waiting for node ${settings.nodeName}`);
  const access = await readAccess(settings, paths);
  if (access === undefined) throw new ClusterError("PKI_INCOMPLETE", `certificates are missing in ${paths.pki}`);
  using probe = new StartProbe(access);
  await waitFor(
    { paths, machine, clock, deadlineMs: nodeDeadlineMs, what: "the node does not become Ready", log: "agent" },
    signal,
    () => probe.nodeIsReady(settings.nodeName, sinceMs, signal),
  );
  return { settings, already: running, nodeReadyMs: running ? 0 : clock.monotonic() - startMs };
}

/** What the home holds of a node. Throws `ClusterError` where it holds something else than what was asked for. */
function joinedBefore(
  found: HomeSettings | undefined,
  paths: ClusterPaths,
  options: JoinOptions,
): JoinedSettings | undefined {
  if (found === undefined) return undefined;
  const { nodeName, nodeIp, runtime, server } = options;
  if (!isJoined(found)) {
    const what = `${paths.root} holds a cluster of its own`;
    throw new ClusterError("SETTINGS_FIXED", `${what}; delete it first, or use another --name or --home`);
  }
  const wanted = { nodeName, nodeIp, runtime, server: server === undefined ? undefined : serverOf(server) };
  for (const key of ["nodeName", "nodeIp", "runtime", "server"] as const) {
    if (wanted[key] === undefined || wanted[key] === found[key]) continue;
    const what = `the node in ${paths.root} has joined with ${found[key]}, not ${wanted[key]}`;
    throw new ClusterError("SETTINGS_FIXED", `${what}; delete it first, or use another --name or --home`);
  }
  return found;
}

function checkRunning({ name, kubeletArgs }: JoinedSettings, options: JoinOptions): void {
  const { kubeletArgs: wanted = [] } = options;
  if (wanted.length === 0 || jsonEqual(wanted, kubeletArgs)) return;
  throw new ClusterError("RUNNING", `node "${name}" is running without these --kubelet-arg; run skiff down first`);
}

/** Whether the node has certificates that are still good. */
async function isCertified(paths: ClusterPaths, clock: Clock): Promise<boolean> {
  const pki = await readNodePki(paths.pki).catch(() => undefined);
  return pki !== undefined && Date.parse(new X509Certificate(pki.node.certificate).validTo) > clock.now();
}

/** Makes the server's address one that all can use. Throws `ClusterError`. */
function serverOf(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `https://${text}`);
  if (url?.protocol === "https:" && url.pathname === "/" && url.username === "") return url.origin;
  throw new ClusterError("OPTION_INVALID", `${text} is no address of an API server, as in https://10.0.0.1:6443`);
}

/** Finds out about the cluster, chooses what this node is like and gets certificates for it. */
async function becomeNode(
  before: JoinedSettings | undefined,
  options: JoinOptions,
  effects: JoinEffects & { readonly paths: ClusterPaths },
  signal: AbortSignal,
): Promise<JoinedSettings> {
  const { clock, report } = effects;
  const address = before?.server ?? options.server;
  if (address === undefined || options.token === undefined) {
    const why = "a machine joins with the address of the cluster's server and a token";
    throw new ClusterError(
      "OPTION_INVALID",
      `${why}: skiff token create --print-join-command, run there, tells all of it`,
    );
  }
  const server = serverOf(address);
  const token = parseToken(options.token);
  report.step(`Finding out about ${server}`);
  const found = await discover({ server, token, authorityHash: options.caHash }, clock, signal);
  const { authority, localAddress } = found;
  const bearer = `${token.id}.${token.secret}`;
  await using transport = httpsTransport({ endpoint: server, ca: authority, token: bearer, clock });
  const client = createClient(transport);
  const settings = before ?? (await newSettings(options, { ...effects, client, server, localAddress }, signal));
  await certify({ settings, token, authority, client, checkName: before === undefined }, effects, signal);
  return settings;
}

/** A server that proved itself may be reached by an address that its certificate does not name. */
function asName(error: unknown, server: string): never {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_TLS_CERT_ALTNAME_INVALID")) throw error;
  const { hostname } = new URL(server);
  const how = `use one that it names, or add it there: skiff up --apiserver-cert-extra-sans ${hostname}`;
  throw new ClusterError("NAME_UNKNOWN", `the certificate of ${server} does not name ${hostname}; ${how}`, { cause });
}

async function newSettings(
  options: JoinOptions,
  about: JoinEffects & {
    readonly paths: ClusterPaths;
    readonly client: Client;
    readonly server: string;
    readonly localAddress: string | undefined;
  },
  signal: AbortSignal,
): Promise<JoinedSettings> {
  const { machine, clock, paths, client, server, localAddress } = about;
  const { name, home, nodeName, runtime = "containerd" } = options;
  const facts = factsOf(await client.get(ConfigMaps, factsPlace, { signal }).catch((error) => asName(error, server)));
  const near = localAddress === undefined || localAddress.startsWith("127.") || localAddress.includes(":");
  const nodeIp = options.nodeIp ?? (near ? await machine.network.addresses.primaryIPv4() : localAddress);
  const claim = (slot: number) => claimSlot(slot, paths, clock);
  const slot = await chooseSlot(home, { name, ports: (at) => [kubeletPortOf(at)], claim });
  return {
    name,
    runtime,
    nodeName: nodeName ?? nodeNameOf(name),
    nodeIp,
    kubeletPort: kubeletPortOf(slot),
    ...facts,
    podCidr: wantedPodRange(facts, slot),
    slot,
    server,
  };
}

/**
 * Gets the node's certificates: that of its kubelet as a client by the token, and with that, as the node itself, the one of
 * the kubelet's server. Such a one is given for the addresses only that the node's object has, which comes first.
 */
async function certify(
  node: {
    readonly settings: JoinedSettings;
    readonly token: BootstrapToken;
    readonly authority: string;
    readonly client: Client;
    readonly checkName: boolean;
  },
  { clock, report, paths }: JoinEffects & { readonly paths: ClusterPaths },
  signal: AbortSignal,
): Promise<void> {
  const { settings, authority, client } = node;
  const { nodeName: name, nodeIp, server } = settings;
  if (node.checkName) await checkName(client, name, signal);
  report.step(`Joining ${server} as node ${name}`);
  const onWaiting = (request: string) =>
    report.step(`Waiting for someone to approve: kubectl certificate approve ${request}`);
  const own = await clientCertificate(settings, { client, clock, onWaiting }, signal);
  const { certificate: cert, key } = own;
  await using transport = httpsTransport({ endpoint: server, ca: authority, cert, key, clock });
  const self = createClient(transport);
  await registerNode(settings, self, signal);
  const status = {
    addresses: [
      { type: "InternalIP", address: nodeIp },
      { type: "Hostname", address: name },
    ],
    // Until its kubelet runs no pod is to come.
    conditions: [{ type: "Ready", status: "False", reason: "KubeletNotReady", message: "the node is joining" }],
  };
  await self.patch(Nodes, { name }, { status }, { type: "merge", subresource: "status", signal });
  const kubeletServer = await servingCertificate(settings, { client: self, clock, onWaiting }, signal);
  await writeNodePki(paths.pki, { authority, node: own, kubeletServer });
}

/** No two machines are one node. */
async function checkName(client: Client, name: string, signal: AbortSignal): Promise<void> {
  const found = await client.get(Nodes, { name }, { signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });
  const isReady = found?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  if (!isReady) return;
  throw new ClusterError("NODE_EXISTS", `the cluster has a node ${name} that is Ready; use another --node-name`);
}
