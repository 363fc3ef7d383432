import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { asMillis, asUnits, type Node, Nodes, type Pod, Pods, Services } from "@skiff/api";
import { aborted, Background, describeError } from "@skiff/base";
import { PodCgroups } from "./cgroups/pod-cgroups.ts";
import { defaultConfiguration, type KubeletConfiguration } from "./config/kubelet-configuration.ts";
import { CsiDrivers } from "./csi/csi-drivers.ts";
import { Evictor } from "./eviction/evictor.ts";
import { machineSignals, maxProcesses } from "./eviction/machine-signals.ts";
import type { Observations } from "./eviction/thresholds.ts";
import { startGrants } from "./grants/start-grants.ts";
import { ImageAccess } from "./images/image-access.ts";
import { ImageCollector } from "./images/image-collector.ts";
import { ImagePuller } from "./images/image-puller.ts";
import { PodCredentials } from "./images/pod-credentials.ts";
import { PullRecords } from "./images/pull-records.ts";
import { rotateLogs } from "./logs/rotate-logs.ts";
import { readMachine } from "./node/machine.ts";
import { machineUsage } from "./node/machine-usage.ts";
import { nodeResources } from "./node/node-object.ts";
import { NodeReporter } from "./node/node-reporter.ts";
import type { Kubelet, KubeletOptions } from "./options.ts";
import { PluginRegistry } from "./plugins/plugin-registry.ts";
import { parseResolvConf } from "./pods/dns.ts";
import { PodFolders } from "./pods/folders.ts";
import { LifeCounts } from "./pods/life-counts.ts";
import type { NodeParts } from "./pods/node-parts.ts";
import { PodSet } from "./pods/pod-set.ts";
import { RuntimeCache } from "./pods/runtime-cache.ts";
import { ProbeCounts } from "./probes/probe-counts.ts";
import { hasAppArmor } from "./security/app-armor.ts";
import { CpuRates } from "./server/cpu-rates.ts";
import { startNodeServer } from "./server/node-server.ts";
import { NodeShutdown } from "./shutdown/node-shutdown.ts";
import { shutdownGroups } from "./shutdown/shutdown-groups.ts";
import { followManifests } from "./static-pods/follow-manifests.ts";
import { MirrorPods } from "./static-pods/mirror-pods.ts";
import { volumePlugins } from "./volumes/plugins/volume-plugins.ts";
import { PodCertificates } from "./volumes/pod-certificates.ts";
import { PodVolumes } from "./volumes/pod-volumes.ts";
import { ReferencedObjects } from "./volumes/referenced-objects.ts";
import { ServiceAccountTokens } from "./volumes/service-account-token.ts";
import { SubPaths } from "./volumes/sub-path.ts";
import { VolumeUsage } from "./volumes/volume-stats.ts";

const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/**
 * Starts the agent of a node: registers it, takes up the pods that are bound to it, and serves logs, exec and the like.
 * Returns as soon as the server listens; pods are taken up once the runtime and the API have both been read.
 * Disposing of it leaves containers running: the next start finds them again.
 */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { node, clock, logger, runtime } = options;
  await mkdir(node.rootFolder, { recursive: true, mode: 0o750 });
  await mkdir(node.logFolder, { recursive: true, mode: 0o755 });
  const background = new Background({ logger });
  const machine = options.machine ?? (await readMachine(node.rootFolder));
  // What happens in the runtime concerns pods, which are taken up last: until then there is nobody to tell.
  const late: {
    pods?: PodSet;
    evictor?: Evictor;
    reporter?: NodeReporter;
    shutdown?: NodeShutdown;
    takenUp?: boolean;
  } = {};
  const objects = new ReferencedObjects({
    client: options.client,
    clock,
    logger,
    onChange: (uids) => late.pods?.objectsChanged(uids),
  });
  const cache = new RuntimeCache({ runtime, clock, logger, onChange: (uid) => late.pods?.wake(uid) });
  const drivers = new CsiDrivers({
    nodeName: node.name,
    client: options.client,
    informers: options.informers,
    clock,
    logger,
  });
  const aside = await startGrants(options, {
    onChange: () => late.reporter?.poke(),
    onHealth: (uid) => late.pods?.wake(uid),
    pods: () => late.pods?.active() ?? [],
  });
  const plugins = new PluginRegistry({
    folder: join(node.rootFolder, "plugins_registry"),
    handlers: [drivers, aside.devices, aside.drivers],
    clock,
    logger,
  });
  const ownNode = options.informers.for<Node>(Nodes, { fieldSelector: `metadata.name=${node.name}` });
  const parts = await nodeParts(options, {
    cache,
    drivers,
    ownNode: () => ownNode.get(node.name),
    onInUse: () => late.reporter?.poke(),
    onAbnormal: (uid, message) => {
      const pod = late.pods?.list().find((one) => one.metadata.uid === uid);
      const event = { type: "Warning", reason: "VolumeConditionAbnormal", message } as const;
      if (pod !== undefined) options.recorder.record(Pods, pod, event);
    },
    grants: aside.grants,
    claims: aside.claims,
    deviceHealth: aside.deviceHealth,
    objects,
    machine,
    pods: {
      active: () => late.pods?.active() ?? [],
      counted: () => late.pods?.counted() ?? [],
      resourcesFreed: () => late.pods?.resourcesFreed(),
      pressures: () => late.evictor?.types ?? new Set(),
      shuttingDown: () => late.shutdown?.isUnderWay ?? false,
    },
  });
  const informer = options.informers.for<Pod>(Pods, { fieldSelector: `spec.nodeName=${node.name}` });
  const server =
    options.server === undefined
      ? undefined
      : await startNodeServer({ ...options.server, parts, pods: () => late.pods });
  const port = server?.port ?? 0;
  const { client, recorder } = options;
  const { configuration } = parts;
  const pressures = () => parts.pods.pressures();
  // Until it is known what an earlier life of the agent left mounted, nothing of it may be detached.
  const volumesInUse = (before: readonly string[]) =>
    late.takenUp === true ? parts.volumes.inUse() : [...new Set([...before, ...parts.volumes.inUse()])].sort();
  const reporter = new NodeReporter({
    node,
    machine,
    configuration,
    pressures,
    shuttingDown: parts.pods.shuttingDown,
    port,
    client,
    recorder,
    runtime,
    volumesInUse,
    devices: () => aside.devices.counts(),
    clock,
    logger,
  });
  late.reporter = reporter;
  const attachments = ownNode.onChange(() => late.pods?.objectsChanged(parts.volumes.awaiting()));
  background.run("node status", (signal) => reporter.report(signal));
  background.run("node lease", (signal) => reporter.renew(signal));
  background.run("runtime events", (signal) => cache.follow(signal));
  const { signals } = parts;
  if (signals !== undefined) {
    const collector = new ImageCollector(parts, signals);
    late.evictor = new Evictor({
      parts,
      signals,
      reclaimDisk: (signal) => collector.collectAll(signal),
      evict: (pod, message, graceSeconds) => late.pods?.evict(pod, message, graceSeconds),
      onChange: () => reporter.poke(),
    });
    const { evictor } = late;
    background.run("eviction", (signal) => evictor.run(signal));
    background.run("images", (signal) => collector.run(signal));
  }
  const groups = shutdownGroups(configuration);
  const notices = options.host.shutdownNotices;
  if (notices !== undefined && groups.length > 0) {
    const shutdown = new NodeShutdown({
      groups,
      notices,
      pods: parts.pods.active,
      end: async (pod, failure, how) => late.pods?.end(pod, failure, how),
      onChange: (text) => reporter.shutdown(text),
      clock,
      logger,
    });
    late.shutdown = shutdown;
    background.run("shutdown", (signal) => shutdown.run(signal));
  }
  if (configuration.featureGates.CSIVolumeHealth === true)
    background.run("health of volumes", (signal) => lookAtVolumes(parts, signal));
  background.run("log rotation", (signal) => rotateLogs(parts, signal));
  background.run("pods", async (signal) => {
    await retry(
      async () => {
        await Promise.all([
          parts.cgroups.prepare(),
          parts.volumes.prepare(signal),
          parts.images.access.resume(runtime, signal),
          cache.refresh(signal),
        ]);
      },
      { options, signal },
    );
    const pods = new PodSet({ parts, informer, background, reporter });
    late.pods = pods;
    await staticPods(parts, pods, background, signal);
    await Promise.all([informer.whenSynced(signal), parts.services.whenSynced(signal)]);
    late.pods.start();
    await late.pods.removeLeftovers(signal);
    late.takenUp = true;
    reporter.poke();
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      attachments[Symbol.dispose]();
      late.pods?.[Symbol.dispose]();
      await server?.[Symbol.asyncDispose]();
      await background[Symbol.asyncDispose]();
      await plugins[Symbol.asyncDispose]();
      await aside[Symbol.asyncDispose]();
      await drivers[Symbol.asyncDispose]();
      objects[Symbol.dispose]();
    },
  };
}

const healthMs = 60_000;

/** Asks drivers again and again how their volumes are, as measuring them does it. */
async function lookAtVolumes({ clock, cache, volumeUsage }: NodeParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await Promise.all(cache.pods().map(({ uid }) => volumeUsage.of(uid, signal)));
    await clock.sleep(healthMs, signal);
  }
}

/** Reads what is left on this machine; images lie where the runtime says, once it has said so. */
function machineSignalsOf({ node, runtime }: KubeletOptions): () => Promise<Observations> {
  let images: string | undefined;
  return async () => {
    images ??= (await runtime.imageFsInfo(new AbortController().signal).catch(() => undefined))?.mountpoint;
    return await machineSignals({ node: node.rootFolder, images: images ?? node.rootFolder });
  };
}

/** Takes up the pods of the node's own folder, which wait for no API. Resolves once it has been read. */
async function staticPods(
  { node, clock, logger, mirrors }: NodeParts,
  pods: PodSet,
  background: Background,
  signal: AbortSignal,
): Promise<void> {
  const folder = node.staticPodFolder;
  if (folder === undefined) return;
  const read = Promise.withResolvers<void>();
  const onPods = (list: readonly Pod[]) => {
    pods.setStatic(list);
    mirrors.want(list);
    read.resolve();
  };
  background.run("static pods", (stop) =>
    followManifests({ folder, nodeName: node.name, clock, logger, onPods }, stop),
  );
  background.run("mirror pods", (stop) => mirrors.run(stop));
  await Promise.race([read.promise, aborted(signal)]);
}

/** Does what the node needs before it can have pods, for as long as it takes. */
async function retry(
  work: () => Promise<void>,
  { options, signal }: { readonly options: KubeletOptions; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      options.logger.warn(`the node is not ready for pods: ${describeError(error)}`);
      await options.clock.sleep(1000, signal);
    }
  }
}

async function nodeParts(
  options: KubeletOptions,
  made: Pick<NodeParts, "cache" | "grants" | "claims" | "deviceHealth" | "objects" | "pods"> & {
    readonly drivers: CsiDrivers;
    readonly ownNode: () => Node | undefined;
    readonly onInUse: () => void;
    readonly onAbnormal: (podUid: string, message: string) => void;
    readonly machine: Parameters<typeof nodeResources>[0];
  },
): Promise<NodeParts> {
  const { node, client, runtime, recorder, clock, random, logger, host } = options;
  const { objects, machine, cache, drivers } = made;
  const configuration = options.configuration ?? defaultConfiguration;
  const folders = new PodFolders(node);
  const { capacity, allocatable } = nodeResources(machine, configuration);
  const { mounts, processes } = host;
  const { featureGates } = configuration;
  const tokens = new ServiceAccountTokens(client, clock);
  const asking = { client, objects, recorder, nodeName: node.name, clock, random };
  const certificates = featureGates.PodCertificateRequest === true ? new PodCertificates(asking) : undefined;
  const sources = { client, objects, tokens, certificates, clock, random, allocatable };
  const images = imagePuller(options, configuration, { objects, tokens });
  const csi = { drivers, nodeName: node.name, ownNode: made.ownNode, recorder };
  const plugins = volumePlugins({ runtime, images, folders, mounts, processes, featureGates, ...csi, ...sources });
  const onGone = (uid: string) => {
    objects.release(uid);
    tokens.forget(uid);
    certificates?.forget(uid);
  };
  const volumes = new PodVolumes({ folders, mounts, plugins, client, recorder, clock, onGone, onInUse: made.onInUse });
  const [version, resolvConf, hosts] = await Promise.all([
    runtime.version(new AbortController().signal).catch(() => ({ name: "containerd" })),
    configuration.resolvConf === "" ? "" : textOf(configuration.resolvConf),
    textOf("/etc/hosts"),
  ]);
  const mostProcesses = host.cgroups === undefined ? 0 : await maxProcesses();
  // A tenth is left to the machine itself: pods that multiply without end do not keep it from starting processes.
  const allPids = Math.floor(mostProcesses * 0.9);
  return {
    node,
    configuration,
    pods: made.pods,
    client,
    runtime,
    runtimeName: version.name,
    recorder,
    cache,
    folders,
    cgroups: new PodCgroups(host.cgroups, node.cgroupRoot, {
      cpuMillis: asMillis(allocatable.cpu),
      memoryBytes: asUnits(capacity.memory) - reservedBytes(configuration),
      podPids: configuration.podPidsLimit,
      allPids,
    }),
    grants: made.grants,
    claims: made.claims,
    deviceHealth: made.deviceHealth,
    volumes,
    subPaths: new SubPaths(folders, mounts),
    volumeUsage: new VolumeUsage({
      volumes,
      clock,
      ...(featureGates.CSIVolumeHealth === true ? { onAbnormal: made.onAbnormal } : {}),
    }),
    images,
    objects,
    mirrors: new MirrorPods({ client, nodeName: node.name, clock, logger }),
    services: options.informers.for(Services),
    hostDns: parseResolvConf(resolvConf),
    hostsFile: hosts,
    allocatable,
    signals: host.signals ?? (host.cgroups && machineSignalsOf(options)),
    appArmor: hasAppArmor(),
    memoryCapacityBytes: asUnits(machine.memory),
    probeCounts: new ProbeCounts(),
    lifeCounts: new LifeCounts(),
    cpuRates: new CpuRates(),
    machineUsage: runtime.isSimulated === true || options.machine !== undefined ? undefined : machineUsage,
    clock,
    random,
    logger,
  };
}

function imagePuller(
  { runtime, recorder, client, clock, logger, node, host, imageCredentialProviders: providers }: KubeletOptions,
  configuration: KubeletConfiguration,
  { objects, tokens }: { readonly objects: ReferencedObjects; readonly tokens: ServiceAccountTokens },
): ImagePuller {
  const { rootFolder } = node;
  // Where nothing really runs there is no image that somebody could take from others.
  const records = new PullRecords(runtime.isSimulated === true ? undefined : rootFolder);
  const rules = {
    enabled: configuration.featureGates.KubeletEnsureSecretPulledImages !== false,
    policy: configuration.imagePullCredentialsVerificationPolicy,
    allowlist: configuration.preloadedImagesVerificationAllowlist,
  };
  const { processes } = host;
  return new ImagePuller({
    runtime,
    recorder,
    clock,
    credentials: new PodCredentials({
      objects,
      tokens,
      client,
      recorder,
      rootFolder,
      providers,
      processes,
      clock,
      logger,
    }),
    access: new ImageAccess({ records, clock, rules }),
    parallel: parallelPulls(configuration),
  });
}

const parallelPulls = ({ serializeImagePulls, maxParallelImagePulls }: KubeletConfiguration): number =>
  serializeImagePulls ? 1 : maxParallelImagePulls > 0 ? maxParallelImagePulls : Number.POSITIVE_INFINITY;

const reservedBytes = ({ kubeReserved, systemReserved }: KubeletConfiguration): number =>
  asUnits(kubeReserved.memory ?? "0") + asUnits(systemReserved.memory ?? "0");
