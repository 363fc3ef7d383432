import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EndpointSlices, Nodes, podRangeAnnotation } from "@skiff/api";
import { aborted, Background, type Clock, type Logger, systemRandom } from "@skiff/base";
import {
  type Client,
  createClient,
  createEventRecorder,
  createInformers,
  type EventRecorder,
  httpsTransport,
  type Informers,
} from "@skiff/client";
import { hostpathDriverName, startHostpathDriver } from "@skiff/csi";
import {
  anyShutdownNotices,
  LoginShutdownNotices,
  nfsServerProgram,
  type ShutdownNotices,
  SignalShutdownNotices,
} from "@skiff/host";
import { type CredentialProviders, type KubeletConfiguration, startKubelet } from "@skiff/kubelet";
import {
  clusterZone,
  createUpstream,
  DnsServer,
  ServiceProxy,
  setUpPodNetwork,
  systemConntrack,
  upstreamServers,
} from "@skiff/network";
import { ensureHelloImages, fileLogs, type Runtime, SimulatedRuntime } from "@skiff/runtime";
import { type Machine, volumeDriverSocket } from "../lifecycle/machine.ts";
import { type NodePki, readNodePki } from "../pki/pki.ts";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { clusterCidrs } from "../settings/pod-ranges.ts";
import {
  ClusterError,
  clusterDnsIp,
  type HomeSettings,
  isJoined,
  machineNames,
  nfsPort,
  nthAddress,
  readHomeSettings,
  serverUrl,
} from "../settings/settings.ts";
import { collectWhenIdle } from "../supervise/collect-when-idle.ts";
import { keepSupervisor } from "../supervise/keep-supervisor.ts";
import type { SupervisorTarget } from "../supervise/start-supervisor.ts";
import { kubernetesVersion } from "../version.ts";
import { parseKubeletArgs } from "./kubelet-args.ts";
import { readCredentialProviders, readNodeConfiguration } from "./node-configuration.ts";
import { startNodeRoutes } from "./node-routes.ts";
import { connectPods } from "./node-runtime.ts";
import { keepPodRange, nodePodRange, rangeChanges } from "./pod-range.ts";
import { connectNodeRuntime } from "./runtime-connection.ts";
import { ServerTurns } from "./server-turns.ts";

const runtimeDeadlineMs = 60_000;

interface AgentEffects {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Agent extends AgentEffects {
  readonly settings: HomeSettings;
  readonly paths: ClusterPaths;
  readonly pki: NodePki;
  readonly client: Client;
  readonly informers: Informers;
  readonly signal: AbortSignal;
}

/** An agent that knows the range of its node's pods. */
interface Ranged extends Agent {
  readonly podCidr: string;
}

/** Runs a node's kubelet, service proxy and DNS until the signal is aborted. Containers go on running after it. */
export async function runAgent(target: SupervisorTarget, effects: AgentEffects, stop: AbortSignal): Promise<void> {
  // It also ends by itself, to start anew: what was begun until then ends with it.
  const ended = new AbortController();
  const signal = AbortSignal.any([stop, ended.signal]);
  const paths = clusterPaths(target.home, target.name);
  const settings = await readHomeSettings(paths);
  const pki = await readNodePki(paths.pki);
  if (settings === undefined || pki === undefined) {
    throw new ClusterError("NO_CLUSTER", `there is no cluster "${target.name}" below ${target.home}`);
  }
  const { clock, logger } = effects;
  const servers = isJoined(settings) ? await ServerTurns.read(settings.server, { paths, clock, logger }) : undefined;
  await using transport = httpsTransport({
    endpoint: servers === undefined ? serverUrl(settings) : () => servers.next(),
    ca: pki.authority,
    cert: pki.node.certificate,
    key: pki.node.key,
    userAgent: `skiff-agent/${kubernetesVersion}`,
    clock,
  });
  const client = createClient(transport);
  await using informers = createInformers({ client, clock, random: systemRandom, logger });
  const starting: Agent = { ...effects, settings, paths, pki, client, informers, signal };
  await using stack = new AsyncDisposableStack();
  if (servers !== undefined) stack.use(servers.follow(informers.for(EndpointSlices)));
  const background = stack.use(new Background({ logger }));
  background.run("memory", (stop) => collectWhenIdle(clock, stop));
  const { promise: renewed, resolve: resolveRenewed } = Promise.withResolvers<"certificates">();
  if (isJoined(settings)) {
    const { processes } = effects.machine;
    background.run("watching the supervisor", (stop) =>
      keepSupervisor(target, { paths, processes, clock, logger }, stop),
    );
    background.run("renewing certificates", async (stop) => {
      const { renewCertificates } = await import("./renew-certificates.ts");
      await renewCertificates({ settings, pki, folder: paths.pki, client, clock, logger }, stop);
      resolveRenewed("certificates");
    });
  }
  const podCidr = nodePodRange(starting, { client, clock, logger }, signal);
  // Who awaits it hears of its failure; it may end before anybody does.
  podCidr.catch(() => {});
  const args = parseKubeletArgs(settings.kubeletArgs ?? [], { whole: true });
  const configuration = await readNodeConfiguration(paths.kubeletConfiguration, args);
  const { resolvConf } = configuration;
  const runtime =
    settings.runtime === "simulated"
      ? stack.use(simulatedRuntime({ ...starting, podCidr: await podCidr }))
      : stack.use(await realRuntime({ ...starting, resolvConf }, podCidr, stack));
  const agent: Ranged = { ...starting, podCidr: await podCidr };
  const providers = await readCredentialProviders(args);
  stack.use(await volumeDriver(agent));
  // Ended with the agent: what could not be written is not tried again for two minutes.
  const recorder = stack.use(kubeletRecorder(agent));
  stack.use(await kubelet(agent, runtime, { configuration, providers, recorder }));
  const { nodeName } = settings;
  using range = rangeChanges(informers.for(Nodes, { fieldSelector: `metadata.name=${nodeName}` }), {
    nodeName,
    range: agent.podCidr,
  });
  const changed = await Promise.race([aborted(signal), range.changed, renewed]);
  ended.abort();
  if (changed === undefined) return logger.info("stopping");
  if (changed === "certificates") return logger.info("the node has new certificates: starting anew");
  await keepPodRange(paths, changed);
  logger.warn(`pods have addresses of ${changed} from now on, no more of ${agent.podCidr}: starting anew`);
}

const simulatedRuntime = ({ podCidr, clock }: Ranged): SimulatedRuntime =>
  new SimulatedRuntime({ clock, random: systemRandom, podCidr, logs: fileLogs });

/** The driver for volumes on this node's disk; it makes itself known to the kubelet as others do. */
async function volumeDriver({ settings, paths, machine, clock, signal }: Agent): Promise<AsyncDisposable> {
  const isReal = settings.runtime !== "simulated";
  const server = isReal ? await nfsServerProgram(machine.mounts, signal) : undefined;
  const registry = join(paths.kubelet, "plugins_registry");
  await mkdir(registry, { recursive: true, mode: 0o750 });
  return startHostpathDriver({
    nodeName: settings.nodeName,
    root: paths.volumes,
    socket: volumeDriverSocket(paths, settings.runtime),
    registrationSocket: join(registry, `${hostpathDriverName}-reg.sock`),
    version: kubernetesVersion,
    processes: machine.processes,
    mounts: isReal ? machine.mounts : undefined,
    clock,
    ...(server === undefined ? {} : { nfsPort: nfsPort(settings) }),
  });
}

/** containerd with its images; proxy and DNS start beside it, since pods can start before Services can be reached. */
async function realRuntime(
  agent: Agent & { readonly resolvConf: string },
  range: Promise<string>,
  stack: AsyncDisposableStack,
): Promise<Runtime> {
  const { settings, paths, machine, signal, logger } = agent;
  const startPodNetwork = async () => {
    const podCidr = await range;
    await connectPods(settings, paths, podCidr);
    await startNetwork({ ...agent, podCidr }, stack);
  };
  const network = startPodNetwork().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  const runtime = await connectNodeRuntime(paths, agent, { timeoutMs: runtimeDeadlineMs, signal });
  await ensureHelloImages(runtime, machine.processes, signal);
  await network;
  logger.info("containerd and the pod network are ready");
  return runtime;
}

async function startNetwork(
  agent: Ranged & { readonly resolvConf: string },
  stack: AsyncDisposableStack,
): Promise<void> {
  const { settings, podCidr, machine, clock, logger, informers, signal } = agent;
  const { bridge, nftTable } = machineNames(settings);
  const gateway = nthAddress(podCidr, 1);
  const [, length = "24"] = podCidr.split("/");
  const facts = await setUpPodNetwork(
    { bridge, gateway: `${gateway}/${length}`, serviceCidr: settings.serviceCidr },
    { network: machine.network, sysctls: machine.sysctls },
    signal,
  );
  stack.use(startNodeRoutes(agent));
  const source = clusterZone(settings.clusterDomain, informers);
  // A zone that is not complete yet would tell clients that names do not exist.
  await informers.whenSynced(signal);
  const resolvers = await readFile(agent.resolvConf, "utf8").catch(() => "");
  stack.use(
    await DnsServer.start({
      address: gateway,
      port: 53,
      source,
      upstream: createUpstream(upstreamServers(resolvers, [gateway, clusterDnsIp(settings)]), clock),
      clock,
      logger: logger.named("dns"),
    }),
  );
  stack.use(
    await ServiceProxy.start(
      {
        rules: { table: nftTable, podCidr, clusterCidr: clusterCidrs(settings)[0] ?? podCidr, bridge, ...facts },
        nodeName: settings.nodeName,
        informers,
        nftables: machine.nftables,
        conntrack: systemConntrack(machine.processes),
        clock,
        logger: logger.named("proxy"),
      },
      signal,
    ),
  );
}

/** Where there is logind, it tells of shutdowns, and waits; elsewhere SIGPWR is the word for it. */
const shutdownNotices = ({ settings, machine, clock, logger }: Agent): ShutdownNotices =>
  anyShutdownNotices([
    new LoginShutdownNotices({
      name: `skiff-${settings.slot}`,
      processes: machine.processes,
      clock,
      logger: logger.named("shutdown"),
    }),
    new SignalShutdownNotices("SIGPWR"),
  ]);

const kubeletRecorder = ({ settings, client, clock, logger }: Agent) =>
  createEventRecorder({
    client,
    component: "kubelet",
    host: settings.nodeName,
    // A pod that starts is said to run before the steps to it are listed.
    delayMs: 150,
    clock,
    random: systemRandom,
    logger,
  });

function kubelet(
  agent: Ranged,
  runtime: Runtime,
  chosen: {
    readonly configuration: KubeletConfiguration;
    readonly providers: CredentialProviders | undefined;
    readonly recorder: EventRecorder;
  },
) {
  const { settings, paths, pki, client, informers, machine, clock, logger } = agent;
  const simulated = settings.runtime === "simulated";
  return startKubelet({
    node: {
      name: settings.nodeName,
      addresses: [settings.nodeIp],
      labels: {},
      annotations: simulated ? {} : { [podRangeAnnotation]: agent.podCidr },
      clusterDns: simulated ? [] : [clusterDnsIp(settings)],
      clusterDomain: settings.clusterDomain,
      rootFolder: paths.kubelet,
      logFolder: paths.podLogs,
      staticPodFolder: paths.manifests,
      cgroupRoot: machineNames(settings).cgroup,
      kubeletVersion: kubernetesVersion,
    },
    client,
    informers,
    recorder: chosen.recorder,
    runtime,
    configuration: chosen.configuration,
    ...(chosen.providers === undefined ? {} : { imageCredentialProviders: chosen.providers }),
    host: simulated
      ? { mounts: undefined, cgroups: undefined }
      : {
          mounts: machine.mounts,
          cgroups: machine.cgroups(),
          processes: machine.processes,
          shutdownNotices: shutdownNotices(agent),
        },
    server: {
      // The API server calls it at the node's address, whatever the pods run on.
      address: "0.0.0.0",
      port: settings.kubeletPort,
      cert: pki.kubeletServer.certificate,
      key: pki.kubeletServer.key,
      clientCa: pki.authority,
      storageDriverSocket: volumeDriverSocket(paths, settings.runtime),
    },
    clock,
    random: systemRandom,
    logger: logger.named("kubelet"),
  });
}
