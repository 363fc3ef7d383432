import { mkdir, readFile, symlink } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { type Clock, describeError } from "@skiff/base";
import { addNamespaceMember, type NamespaceNetwork, setUpNamespaceNetwork, writeFileAtomic } from "@skiff/host";
import { readPodRange } from "../agent/last-pod-range.ts";
import { createToken, deleteTokens } from "../join/tokens.ts";
import type { Machine } from "../lifecycle/machine.ts";
import type { StartReport } from "../lifecycle/prepare-home.ts";
import { askServer, livingSupervisor, readAccess } from "../lifecycle/running.ts";
import type { SelfCommand } from "../lifecycle/self-command.ts";
import { readNodePki } from "../pki/pki.ts";
import type { ClusterPaths } from "../settings/paths.ts";
import { ClusterError, type ClusterSettings, nthAddress, readHomeSettings } from "../settings/settings.ts";
import { type FurtherNode, furtherNodes, nodeNetwork, nodeNumbers } from "./further-nodes.ts";
import { namesOnlyLoopback, resolvConfBy } from "./resolvers.ts";
import { deleteNodes, removeNetwork } from "./stop-nodes.ts";

/** A further node that is Ready. */
export interface StartedNode {
  readonly nodeName: string;
  /** From the call until it was Ready; 0 where it was running before. */
  readonly readyMs: number;
}

interface Cluster {
  readonly settings: ClusterSettings;
  readonly paths: ClusterPaths;
  readonly self: SelfCommand;
}

interface Effects {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly report: StartReport;
}

/** Of all of them. */
const tokenMs = 15 * 60_000;
const joinDeadlineMs = 300_000;
const rangeDeadlineMs = 10_000;

/**
 * Makes the network of further nodes, before the first one looks where they are. Their folder is there before it: whoever
 * stops the cluster goes by that, also where no node came to be.
 */
export async function prepareNetwork(
  { settings, paths }: Omit<Cluster, "self">,
  machine: Machine,
  signal: AbortSignal,
): Promise<void> {
  if (settings.nodes === undefined) return;
  await mkdir(paths.nodes, { recursive: true });
  await setUpNamespaceNetwork(nodeNetwork(settings, settings.nodes.range), machine, signal);
}

/**
 * Starts the nodes that the settings wish for beside the first, all at once, and removes those beyond. The API server answers
 * and their network are there. Resolves when all are Ready.
 */
export async function startNodes(
  cluster: Cluster,
  effects: Effects,
  signal: AbortSignal,
): Promise<readonly StartedNode[]> {
  const { settings, paths } = cluster;
  const nodes = furtherNodes(settings, paths);
  const kept = new Set(nodes.map(({ number }) => number));
  const surplus = (await nodeNumbers(paths)).filter((number) => !kept.has(number));
  await deleteNodes(cluster, surplus, effects, signal);
  for (const number of surplus) await deleteNodeObject(cluster, `${settings.nodeName}-${number}`, signal);
  const range = settings.nodes?.range;
  if (nodes.length === 0 || range === undefined) {
    await removeNetwork(settings, effects.machine, signal);
    return [];
  }
  effects.report.step(`Starting ${nodes.length === 1 ? "1 further node" : `${nodes.length} further nodes`}`);
  const network = nodeNetwork(settings, range);
  const fresh = await forgetStrangers(cluster, nodes, effects, signal);
  const { name, home } = { name: settings.name, home: paths.home };
  const wishes = { ttlMs: tokenMs, description: "skiff up --nodes" };
  const token = fresh.size === 0 ? undefined : await createToken({ name, home }, wishes, effects.clock, signal);
  try {
    const start = (node: FurtherNode) => {
      const joining = fresh.has(node) && token !== undefined ? { joinCommand: token.joinCommand } : {};
      return startNode(cluster, { node, network, ...joining }, effects, signal);
    };
    const results = await Promise.allSettled(nodes.map(start));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  } finally {
    if (token !== undefined) await deleteTokens({ name, home }, [token.id], effects.clock, signal).catch(() => {});
  }
}

/** Nodes that never joined this cluster: new ones, and those of one whose authority was another (a backup was restored). */
async function forgetStrangers(
  cluster: Cluster,
  nodes: readonly FurtherNode[],
  effects: Effects,
  signal: AbortSignal,
): Promise<ReadonlySet<FurtherNode>> {
  const access = await readAccess(cluster.settings, cluster.paths);
  const fresh = new Set<FurtherNode>();
  for (const node of nodes) {
    const settings = await readHomeSettings(node.paths).catch(() => undefined);
    const pki = await readNodePki(node.paths.pki).catch(() => undefined);
    if (settings !== undefined && pki?.authority.trim() === access?.authority.trim()) continue;
    await deleteNodes(cluster, [node.number], effects, signal);
    await deleteNodeObject(cluster, node.nodeName, signal);
    fresh.add(node);
  }
  return fresh;
}

async function deleteNodeObject({ settings, paths }: Cluster, nodeName: string, signal: AbortSignal): Promise<void> {
  const access = await readAccess(settings, paths);
  if (access === undefined) return;
  await askServer({ ...access, method: "DELETE", path: `/api/v1/nodes/${nodeName}`, timeoutMs: 10_000 }, signal);
}

/** Runs `skiff join` in the node's namespace, where all that it starts stays. */
async function startNode(
  cluster: Cluster,
  {
    node,
    network,
    joinCommand,
  }: { readonly node: FurtherNode; readonly network: NamespaceNetwork; readonly joinCommand?: string },
  { machine, clock }: Effects,
  signal: AbortSignal,
): Promise<StartedNode> {
  const startMs = clock.monotonic();
  const { settings, self } = cluster;
  await shareFiles(cluster.paths, node);
  await addNamespaceMember(network, node.member, machine, signal);
  if ((await livingSupervisor(node.paths, machine)) !== undefined) return { nodeName: node.nodeName, readyMs: 0 };
  const args = [...(await resolverArgs(cluster, node, clock, signal)), ...(settings.kubeletArgs ?? [])];
  const words = [
    ...(joinCommand === undefined ? ["join"] : joinCommand.split(" ").slice(1)),
    ...["--home", node.home, "--name", node.name, "--node-name", node.nodeName, "--node-ip", node.nodeIp],
    ...args.flatMap((arg) => ["--kubelet-arg", arg]),
  ];
  const inside = [`--net=/run/netns/${node.member.namespace}`, self.command, ...self.args, ...words];
  try {
    await machine.processes.output("nsenter", { args: inside, timeoutMs: joinDeadlineMs }, signal);
  } catch (error) {
    signal.throwIfAborted();
    const said = describeError(error).split("\n").slice(-12).join("\n");
    throw new ClusterError("NOT_STARTED", `node ${node.nodeName} does not start:\n${said}`, { cause: error });
  }
  return { nodeName: node.nodeName, readyMs: clock.monotonic() - startMs };
}

/** What the cluster's folder says of its node holds for these too. */
async function shareFiles(of: ClusterPaths, { paths }: FurtherNode): Promise<void> {
  await mkdir(paths.root, { recursive: true });
  const shared = [of.kubeletConfiguration, of.registryHosts, join(of.root, "registries.json")];
  for (const file of shared) {
    await symlink(relative(paths.root, file), join(paths.root, basename(file))).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  }
}

/** Resolvers that only answer on this machine's own loopback are asked by way of the first node's DNS. */
async function resolverArgs(
  { settings, paths }: Cluster,
  node: FurtherNode,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  if (!namesOnlyLoopback(text)) return [];
  // The first node is being given its range meanwhile.
  const deadlineMs = clock.monotonic() + rangeDeadlineMs;
  let range = await readPodRange(paths);
  while (range === undefined && clock.monotonic() < deadlineMs) {
    await clock.sleep(50, signal);
    range = await readPodRange(paths);
  }
  const file = join(node.paths.root, "resolv.conf");
  await writeFileAtomic(file, resolvConfBy(text, nthAddress(range ?? settings.podCidr, 1)), { mode: 0o644 });
  return [`resolv-conf=${file}`];
}
