import type { Container, Pod, ResourceStatus, Service } from "@skiff/api";
import type { Clock, Logger, Random } from "@skiff/base";
import type { Client, EventRecorder, Informer } from "@skiff/client";
import type { Runtime, SandboxConfig } from "@skiff/runtime";
import type { PodCgroups } from "../cgroups/pod-cgroups.ts";
import type { NodeClaims } from "../claims/node-claims.ts";
import type { KubeletConfiguration } from "../config/kubelet-configuration.ts";
import type { Observations } from "../eviction/thresholds.ts";
import type { NodeGrants } from "../grants/node-grants.ts";
import type { ImagePuller } from "../images/image-puller.ts";
import type { MachineUsage } from "../node/machine-usage.ts";
import type { NodeIdentity } from "../options.ts";
import type { ProbeCounts } from "../probes/probe-counts.ts";
import type { CpuRates } from "../server/cpu-rates.ts";
import type { MirrorPods } from "../static-pods/mirror-pods.ts";
import type { PodVolumes } from "../volumes/pod-volumes.ts";
import type { ReferencedObjects } from "../volumes/referenced-objects.ts";
import type { SubPaths } from "../volumes/sub-path.ts";
import type { VolumeUsage } from "../volumes/volume-stats.ts";
import type { PodFolders } from "./folders.ts";
import type { LifeCounts } from "./life-counts.ts";
import type { RuntimeCache } from "./runtime-cache.ts";

/** The pods of the node, for those that look beyond their own. */
export interface PodsOfNode {
  /** Pods that have not ended, with what the node has granted them. */
  active(): readonly Pod[];
  /** Those of them whose room is taken: what still runs of pods that are gone from the API does not count. */
  counted(): readonly Pod[];
  /** A pod has ended or shrunk: others that waited for room are looked at again. */
  resourcesFreed(): void;
  /** Types of the node's conditions that tell of pressure and are true. */
  pressures(): ReadonlySet<string>;
  /** The machine is about to be shut down. */
  shuttingDown(): boolean;
}

/** What every pod's worker works with; one set for the whole node. */
export interface NodeParts {
  readonly node: NodeIdentity;
  readonly configuration: KubeletConfiguration;
  readonly pods: PodsOfNode;
  readonly client: Client;
  readonly runtime: Runtime;
  /** As in `containerd`: the scheme of container ids. */
  readonly runtimeName: string;
  readonly recorder: EventRecorder;
  readonly cache: RuntimeCache;
  readonly folders: PodFolders;
  readonly cgroups: PodCgroups;
  /** The claims that pods use. */
  readonly claims: NodeClaims;
  /** How the devices are that a container has. */
  readonly deviceHealth: (pod: Pod, container: Container) => readonly ResourceStatus[];
  /** What is set aside for single pods: devices, CPUs, memory. */
  readonly grants: NodeGrants;
  readonly volumes: PodVolumes;
  readonly subPaths: SubPaths;
  readonly volumeUsage: VolumeUsage;
  readonly images: ImagePuller;
  readonly objects: ReferencedObjects;
  /** The API's pictures of static pods. */
  readonly mirrors: MirrorPods;
  readonly services: Informer<Service>;
  /** The node's own resolver and hosts file. */
  readonly hostDns: SandboxConfig["dns"];
  readonly hostsFile: string;
  readonly allocatable: Readonly<Record<string, string>>;
  /** The kernel has AppArmor and uses it. */
  readonly appArmor: boolean;
  readonly memoryCapacityBytes: number;
  /** What the whole machine uses; absent where the node is none. */
  readonly machineUsage: (() => MachineUsage) | undefined;
  readonly probeCounts: ProbeCounts;
  readonly lifeCounts: LifeCounts;
  readonly cpuRates: CpuRates;
  /** What is left of memory, disk and processes; absent: nothing runs out. */
  readonly signals: (() => Promise<Observations>) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
