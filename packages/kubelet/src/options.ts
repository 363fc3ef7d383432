import type { Clock, Logger, Random } from "@skiff/base";
import type { Client, EventRecorder, Informers } from "@skiff/client";
import type { Cgroups, Mounts, Processes, ShutdownNotices } from "@skiff/host";
import type { Runtime } from "@skiff/runtime";
import type { KubeletConfiguration } from "./config/kubelet-configuration.ts";
import type { Observations } from "./eviction/thresholds.ts";
import type { CredentialProviders } from "./images/credential-provider-config.ts";
import type { MachineTopology } from "./topology/machine-topology.ts";

/** Who the node is and where it keeps its things. */
export interface NodeIdentity {
  readonly name: string;
  /** Addresses that others reach the node by, the primary one first. */
  readonly addresses: readonly string[];
  /** Labels beyond those that every node gets, as in `topology.kubernetes.io/zone`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations beyond those that every node gets. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Addresses of the cluster's DNS; empty: pods get the node's own resolver. */
  readonly clusterDns: readonly string[];
  /** As in `cluster.local`. */
  readonly clusterDomain: string;
  /** Holds `pods/UID/…`: volumes, the hosts file, termination messages. */
  readonly rootFolder: string;
  /** Holds `NAMESPACE_NAME_UID/CONTAINER/ATTEMPT.log`. */
  readonly logFolder: string;
  /** The cgroup that all pods live below, as in `/kubepods-skiff`. */
  readonly cgroupRoot: string;
  /** Manifests in it are pods that run whatever the API says (static pods). Absent: there are none. */
  readonly staticPodFolder?: string;
  /** `v1.36.x`. */
  readonly kubeletVersion: string;
}

/** What a node offers, where it is not to be read from the machine (simulated nodes). Quantities as in `4`, `16Gi`. */
export interface NodeMachine {
  readonly cpu: string;
  readonly memory: string;
  readonly ephemeralStorage: string;
  readonly pods: string;
  /** Memory in huge pages, by their size (`2Mi`, `1Gi`). */
  readonly hugePages?: Readonly<Record<string, string>>;
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly osImage: string;
  readonly kernelVersion: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
}

/** Effects on the machine. A simulated node has none: volumes are then plain folders and cgroups are not made. */
export interface KubeletHost {
  readonly mounts: Mounts | undefined;
  readonly cgroups: Cgroups | undefined;
  /** Runs commands of the machine (git); absent: none is run. */
  readonly processes?: Processes;
  /** What is left of memory, disk and processes; absent: nothing runs out. */
  readonly signals?: () => Promise<Observations>;
  /** Who tells that the machine is about to shut down; absent: nobody. */
  readonly shutdownNotices?: ShutdownNotices;
}

/** The node's HTTPS server; PEM texts. Only clients with a certificate of `clientCa` are heard. */
export interface NodeServerOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string;
  /** Socket of the storage driver whose controller service is asked through this server; absent: there is none. */
  readonly storageDriverSocket?: string;
}

export interface KubeletOptions {
  readonly node: NodeIdentity;
  readonly client: Client;
  readonly informers: Informers;
  readonly recorder: EventRecorder;
  readonly runtime: Runtime;
  readonly host: KubeletHost;
  /** Absent: read from this machine. */
  readonly machine?: NodeMachine;
  /** Which of its parts are near to each other. Absent: read from this machine. */
  readonly topology?: MachineTopology;
  /** Absent: no server (simulated nodes). */
  readonly server?: NodeServerOptions;
  /** Absent: Kubernetes' defaults. */
  readonly configuration?: KubeletConfiguration;
  /** Programs that give logins for images; absent: none. */
  readonly imageCredentialProviders?: CredentialProviders;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A running kubelet. Disposal ends the agent's work and leaves containers running. */
export interface Kubelet extends AsyncDisposable {
  /** Port of the node's server; 0 where there is none. */
  readonly port: number;
}
