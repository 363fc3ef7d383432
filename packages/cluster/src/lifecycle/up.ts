import { existsSync } from "node:fs";
import { type Clock, jsonEqual, silentLogger } from "@skiff/base";
import { writeFileAtomic } from "@skiff/host";
import { checkDatastore, type Datastore } from "../datastore/datastore.ts";
import { establishCluster, tokenFile } from "../datastore/shared-cluster.ts";
import type { ApiServerFlags } from "../identity/api-server-flags.ts";
import { contextName, kubeconfigText, mergeKubeconfig } from "../kubeconfig/kubeconfig.ts";
import type { StartedNode } from "../nodes/start-nodes.ts";
import { chooseSettings } from "../settings/choose.ts";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import type { ClusterPodRanges } from "../settings/pod-ranges.ts";
import {
  ClusterError,
  type ClusterSettings,
  type RuntimeKind,
  readSettings,
  serverUrl,
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
import { livingSupervisor, stopProcesses } from "./running.ts";
import type { SelfCommand } from "./self-command.ts";

/** What `skiff up` was asked for. */
export interface UpOptions {
  readonly name: string;
  readonly home: string;
  /** Absent: that of the cluster as it is, or containerd for a new one. */
  readonly runtime: RuntimeKind | undefined;
  readonly apiPort: number | undefined;
  /** Names and addresses that the API server is reached by beside its own, in place of those before; absent: those stay. */
  readonly serverNames?: readonly string[] | undefined;
  /** Options of kube-apiserver, in place of those before; empty: those stay. */
  readonly apiServerFlags?: ApiServerFlags;
  /** Options of the kubelet, as in `max-pods=200`, in place of those before; empty: those stay. */
  readonly kubeletArgs?: readonly string[];
  /** How many nodes this machine is to have; absent: as many as before. */
  readonly nodes?: number | undefined;
  /** How many simulated nodes there are to be; absent: as many as before. */
  readonly simulatedNodes?: number | undefined;
  /** File with a KubeSchedulerConfiguration; absent: the one before, if any. */
  readonly schedulerConfig?: string | undefined;
  /** What nodes of a new cluster get ranges for their pods from; absent: the usual, or that of the cluster as it is. */
  readonly podRanges?: ClusterPodRanges | undefined;
  /** The etcd that is to keep a new cluster's state, or keeps that of the cluster as it is; absent: the embedded store. */
  readonly datastore: Datastore | undefined;
  /** What proves that this server is one of the cluster in the datastore; absent: the one that was used before, or a new one. */
  readonly token: string | undefined;
  /** File that the cluster's access is merged into. */
  readonly kubeconfig: string;
  readonly isRoot: boolean;
  readonly self: SelfCommand;
}

export interface UpResult {
  readonly settings: ClusterSettings;
  readonly server: string;
  readonly context: string;
  /** Where the token of a cluster with a datastore lies. */
  readonly tokenFile: string;
  /** It was running before. */
  readonly already: boolean;
  /** From the call: until the API answered, until the node was Ready. 0 where it was running before. */
  readonly apiMs: number;
  readonly nodeReadyMs: number;
  /** Nodes of this machine beside the first, which are Ready as well. */
  readonly furtherNodes: readonly StartedNode[];
}

const apiDeadlineMs = 60_000;

/** Starts a cluster, or starts it again. Throws `ClusterError` with a message that says what to do. */
export async function upCluster(
  options: UpOptions,
  effects: { readonly machine: Machine; readonly clock: Clock; readonly report: StartReport },
  signal: AbortSignal,
): Promise<UpResult> {
  const { machine, clock, report } = effects;
  const startMs = clock.monotonic();
  const paths = clusterPaths(options.home, options.name);
  await makeFolders(paths);
  await using _lock = await takeLock(paths);
  const before = await readSettings(paths);
  checkAgainst(before, options);
  const running = before !== undefined && (await livingSupervisor(paths, machine)) !== undefined;
  const chosen = before ?? (await newSettings(options, { machine, clock, paths }));
  const flagged = withFlags(chosen, options, { running });
  if (!running && flagged.apiServerFlags !== undefined) await checkFlags(flagged.apiServerFlags, clock);
  if (!running) await checkSchedulerConfiguration(flagged, paths);
  if (!running && flagged.kubeletArgs !== undefined) await checkKubeletArgs(flagged.kubeletArgs, paths);
  if (!running) {
    report.step(`Preparing cluster "${chosen.name}"`);
    if (chosen.runtime === "containerd") await ensurePackages(machine, { ...options, report }, signal);
    await checkPorts(chosen, { "the API server": chosen.apiPort, "the kubelet": chosen.kubeletPort });
    await claimSlot(chosen.slot, paths, clock);
  }
  const counted = await withNodes(flagged, options, machine, signal);
  const { settings, pki } = await establishCluster(counted, paths, { token: options.token, clock });
  const sinceMs = running ? 0 : clock.now();
  await writeSettings(paths, settings);
  if ((settings.nodes?.count ?? 1) > 1)
    await (await import("../nodes/start-nodes.ts")).prepareNetwork({ settings, paths }, machine, signal);
  if (!running) {
    await startProcesses(options, settings, { paths, machine, clock }, signal);
  }
  report.step("Starting the API server");
  const server = serverUrl(settings);
  using probe = new StartProbe({ server, authority: pki.authority, identity: pki.admin });
  try {
    await waitFor(
      { paths, machine, clock, deadlineMs: apiDeadlineMs, what: "the API server does not answer", log: "server" },
      signal,
      () => probe.apiAnswers(signal),
    );
  } catch (error) {
    // What ends as often as it is started is not left to go on so unseen.
    if (!running && error instanceof ClusterError && error.code === "CRASHING") {
      await stopProcesses(paths, { machine, clock }, signal);
    }
    throw error;
  }
  const apiMs = clock.monotonic() - startMs;
  const access = {
    context: contextName(settings.name),
    server,
    authority: pki.authority,
    ...pki.admin,
  };
  await writeFileAtomic(paths.kubeconfig, await kubeconfigText(access), { mode: 0o600 });
  await mergeKubeconfig(options.kubeconfig, access);
  report.step(`Waiting for node ${settings.nodeName}`);
  // Further nodes start while the first one does.
  const further = startFurtherNodes({ settings, paths, self: options.self }, effects, signal);
  further.catch(() => {});
  await waitFor(
    { paths, machine, clock, deadlineMs: nodeDeadlineMs, what: "the node does not become Ready", log: "agent" },
    signal,
    () => probe.nodeIsReady(settings.nodeName, sinceMs, signal),
  );
  const untaken = "the namespace default has no service account";
  await waitFor({ paths, machine, clock, deadlineMs: nodeDeadlineMs, what: untaken, log: "server" }, signal, () =>
    probe.takesPods(signal),
  );
  const nodeReadyMs = clock.monotonic() - startMs;
  const furtherNodes = await further;
  return {
    settings,
    server: access.server,
    context: access.context,
    tokenFile: tokenFile(paths),
    already: running,
    apiMs: running ? 0 : apiMs,
    nodeReadyMs: running ? 0 : nodeReadyMs,
    furtherNodes,
  };
}

/** The settings with the number of nodes that is wished for. Throws `ClusterError` where there can be but one. */
async function withNodes(
  settings: ClusterSettings,
  { nodes }: UpOptions,
  machine: Machine,
  signal: AbortSignal,
): Promise<ClusterSettings> {
  if (nodes === undefined || nodes === (settings.nodes?.count ?? 1)) return settings;
  const { chooseNodes } = await import("../nodes/choose-nodes.ts");
  return { ...settings, nodes: await chooseNodes(settings, nodes, machine.network, signal) };
}

/** What works on further nodes is loaded where there are any, or were. */
async function startFurtherNodes(
  cluster: { readonly settings: ClusterSettings; readonly paths: ClusterPaths; readonly self: SelfCommand },
  effects: { readonly machine: Machine; readonly clock: Clock; readonly report: StartReport },
  signal: AbortSignal,
): Promise<readonly StartedNode[]> {
  const { nodes } = cluster.settings;
  if ((nodes?.count ?? 1) === 1 && !existsSync(cluster.paths.nodes)) return [];
  const { startNodes } = await import("../nodes/start-nodes.ts");
  return startNodes(cluster, effects, signal);
}

function checkAgainst(settings: ClusterSettings | undefined, options: UpOptions): void {
  const { name, runtime, apiPort, datastore, podRanges } = options;
  if (datastore !== undefined) checkDatastore(datastore);
  if (settings === undefined) return;
  const differs = (what: string, is: string | number) =>
    new ClusterError(
      "SETTINGS_FIXED",
      `cluster "${name}" was made with ${what} ${is}; delete it first, or use another --name`,
    );
  if (runtime !== undefined && runtime !== settings.runtime) throw differs("--runtime", settings.runtime);
  if (apiPort !== undefined && apiPort !== settings.apiPort) throw differs("--api-port", settings.apiPort);
  const { clusterCidr, nodeMaskSizes } = settings;
  if (podRanges !== undefined && !jsonEqual(podRanges, { clusterCidr, nodeMaskSizes })) {
    throw differs("--cluster-cidr", `${clusterCidr}, /${nodeMaskSizes.join(" and /")} a node`);
  }
  if (datastore !== undefined && !jsonEqual(datastore, settings.datastore)) {
    throw differs(
      "--datastore-endpoints",
      settings.datastore?.endpoints.join(",") ?? "of its own (the embedded store)",
    );
  }
}

/** The settings with the options that were given now. A server reads them when it starts. */
function withFlags(
  settings: ClusterSettings,
  { name, apiServerFlags = {}, kubeletArgs = [], simulatedNodes, schedulerConfig, serverNames }: UpOptions,
  { running }: { readonly running: boolean },
): ClusterSettings {
  const given = Object.keys(apiServerFlags);
  const flags = given.length === 0 || jsonEqual(apiServerFlags, settings.apiServerFlags) ? undefined : apiServerFlags;
  const nodes = simulatedNodes === undefined || simulatedNodes === settings.simulatedNodes ? undefined : simulatedNodes;
  const scheduler = schedulerConfig === settings.schedulerConfig ? undefined : schedulerConfig;
  const isKept = kubeletArgs.length === 0 || jsonEqual(kubeletArgs, settings.kubeletArgs);
  const args = isKept ? undefined : kubeletArgs;
  const names = jsonEqual(serverNames, settings.serverNames) ? undefined : serverNames;
  if ([flags, nodes, args, scheduler, names].every((one) => one === undefined)) return settings;
  if (!running) {
    return {
      ...settings,
      ...(flags === undefined ? {} : { apiServerFlags: flags }),
      ...(args === undefined ? {} : { kubeletArgs: args }),
      ...(nodes === undefined ? {} : { simulatedNodes: nodes }),
      ...(scheduler === undefined ? {} : { schedulerConfig: scheduler }),
      ...(names === undefined ? {} : { serverNames: names }),
    };
  }
  const differing = [
    ...(flags === undefined ? [] : given),
    ...(args === undefined ? [] : ["kubelet-arg"]),
    ...(nodes === undefined ? [] : ["simulated-nodes"]),
    ...(scheduler === undefined ? [] : ["scheduler-config"]),
    ...(names === undefined ? [] : ["apiserver-cert-extra-sans"]),
  ];
  throw new ClusterError(
    "RUNNING",
    `cluster "${name}" is running without ${differing.map((flag) => `--${flag}`).join(", ")}; run skiff down first`,
  );
}

/** Finds out now what the server would only write into its log. */
async function checkSchedulerConfiguration(settings: ClusterSettings, paths: ClusterPaths): Promise<void> {
  if (settings.schedulerConfig === undefined && !existsSync(paths.schedulerConfiguration)) return;
  const { readSchedulerConfiguration } = await import("../scheduling/scheduler-configuration.ts");
  await readSchedulerConfiguration(settings, paths);
}

/** Finds out now what the server would only write into its log. */
async function checkFlags(flags: ApiServerFlags, clock: Clock): Promise<void> {
  const { operationOptions } = await import("../operation/operation-options.ts");
  const { identityOptions } = await import("../identity/identity-options.ts");
  const { admissionOptions } = await import("../admission/admission-options.ts");
  operationOptions(flags);
  await admissionOptions(flags);
  await identityOptions({ issuer: "", privateKey: "" }, { flags, clock, logger: silentLogger });
}

async function newSettings(
  options: UpOptions,
  { machine, clock, paths }: { readonly machine: Machine; readonly clock: Clock; readonly paths: ClusterPaths },
): Promise<ClusterSettings> {
  const runtime = options.runtime ?? "containerd";
  checkRuntime(runtime, options);
  const nodeIp = await machine.network.addresses.primaryIPv4();
  const claim = (slot: number) => claimSlot(slot, paths, clock);
  const { name, apiPort, datastore, podRanges } = options;
  return chooseSettings(options.home, { name, runtime, apiPort, datastore, podRanges, nodeIp, claim });
}
