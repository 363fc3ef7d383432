/**
 * What the kubelet asks of a container runtime, in the words and the shape of Kubernetes' Container Runtime Interface:
 * a pod sandbox holds the namespaces, containers run in it. `containerd/` drives the real one over gRPC;
 * `simulated/` runs pods in memory, for tests, for machines without Linux and for clusters of thousands of nodes.
 * One conformance suite (`conformance.ts`) holds both to this contract.
 */
import type { Duplex, Readable, Writable } from "node:stream";

/** Identity of a pod as the runtime keeps it. */
export interface SandboxMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Grows with each sandbox made for the same pod: a name stays reserved until its old sandbox is removed. */
  readonly attempt: number;
}

export interface PortMapping {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly containerPort: number;
  readonly hostPort: number;
  /** Empty: all addresses of the node. */
  readonly hostIp: string;
}

/** Whose namespace a container or sandbox joins. */
export type NamespaceMode = "pod" | "container" | "node";

export interface NamespaceOptions {
  readonly network: "pod" | "node";
  /** With a container's id: the namespace of that container. */
  readonly pid: NamespaceMode | { readonly containerId: string };
  readonly ipc: "pod" | "node";
}

export type SeccompProfile =
  | { readonly kind: "runtimeDefault" }
  | { readonly kind: "unconfined" }
  | { readonly kind: "localhost"; readonly path: string };

/** `name`: that of a profile which the node has loaded. */
export type AppArmorProfile =
  | { readonly kind: "runtimeDefault" }
  | { readonly kind: "unconfined" }
  | { readonly kind: "localhost"; readonly name: string };

export interface SandboxConfig {
  readonly metadata: SandboxMetadata;
  /** Empty for pods on the node's network: they keep the node's name. */
  readonly hostname: string;
  /** Folder that the containers' log files are written into. */
  readonly logDirectory: string;
  readonly dns: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
  readonly portMappings: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The pod's cgroup, as a path below each hierarchy's root: `/kubepods/burstable/pod<uid>`. The kubelet makes and removes it. */
  readonly cgroupParent: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly namespaces: NamespaceOptions;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  readonly privileged: boolean;
  readonly readonlyRootfs: boolean;
  readonly seccomp: SeccompProfile;
  /** Name of the handler of the pod's RuntimeClass; empty means the default. */
  readonly runtimeHandler: string;
}

export type SandboxState = "ready" | "notReady";

export interface SandboxSummary {
  readonly id: string;
  readonly metadata: SandboxMetadata;
  readonly state: SandboxState;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface SandboxStatus extends SandboxSummary {
  /** The pod's addresses, the primary one first; empty on the node's network. */
  readonly ips: readonly string[];
}

export type MountPropagation = "private" | "hostToContainer" | "bidirectional";

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly propagation: MountPropagation;
  readonly recursiveReadOnly?: boolean;
}

export interface Device {
  readonly containerPath: string;
  readonly hostPath: string;
  /** Any of `r`, `w`, `m`. */
  readonly permissions: string;
}

export interface LinuxResources {
  readonly cpuPeriodUs?: number;
  /** -1: no limit. */
  readonly cpuQuotaUs?: number;
  readonly cpuShares?: number;
  readonly memoryLimitBytes?: number;
  readonly oomScoreAdj?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limitBytes: number }[];
  /** cgroup v2 keys written as they stand. */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface LinuxSecurity {
  readonly privileged: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly namespaces: NamespaceOptions;
  readonly runAsUser?: number;
  /** Set instead of `runAsUser` where the image names a user by name. */
  readonly runAsUsername?: string;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  readonly readonlyRootfs: boolean;
  readonly noNewPrivileges: boolean;
  readonly seccomp: SeccompProfile;
  /** Absent: the runtime's choice. */
  readonly appArmor?: AppArmorProfile;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
}

export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  /** What `imageStatus` or `pullImage` gave as the image's id. */
  readonly image: string;
  /** The reference as the user wrote it. */
  readonly userImage: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  /** Names of devices of the Container Device Interface, as in `vendor.com/gpu=card0`. */
  readonly cdiDevices?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** File name below the sandbox's log folder. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly resources: LinuxResources;
  readonly security: LinuxSecurity;
  /** `SIGTERM` where absent, or what the image says. */
  readonly stopSignal?: string;
}

export type ContainerState = "created" | "running" | "exited" | "unknown";

export interface ContainerSummary {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  readonly imageId: string;
  /** The reference as the user wrote it. */
  readonly userImage: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ContainerStatus extends ContainerSummary {
  /** 0 until it happened. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`, … */
  readonly reason: string;
  readonly message: string;
  /** The image's digest reference for `status.containerStatuses[].imageID`. */
  readonly imageRef: string;
  readonly logPath: string;
  readonly mounts: readonly Mount[];
}

/** What happened in the runtime, as soon as it happened. `exited` carries what the CRI status shows only later. */
export type RuntimeEvent =
  | { readonly kind: "containerStarted" | "containerDeleted"; readonly containerId: string }
  | {
      readonly kind: "containerExited";
      readonly containerId: string;
      readonly exitCode: number;
      readonly atMs: number;
      readonly oomKilled: boolean;
    }
  | { readonly kind: "sandboxStopped"; readonly sandboxId: string }
  /** The stream broke and is up again (runtime restarted): whatever happened meanwhile must be read anew. */
  | { readonly kind: "resync" };

export interface ImageSummary {
  /** `sha256:…` of the image's configuration. */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  /** User the image asks for: a number, a name, or neither. */
  readonly uid?: number;
  readonly username?: string;
  readonly pinned: boolean;
}

/** What mount(8) is told. */
export interface FileSystemMount {
  /** As in `overlay` or `bind`. */
  readonly fileSystem: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** How to log in to a registry. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

export interface ContainerStats {
  readonly id: string;
  readonly atMs: number;
  /** CPU time used since the container started. */
  readonly cpuNanos: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
  readonly memoryRssBytes: number;
  readonly writableLayerBytes: number;
  readonly writableLayerInodes: number;
}

/** A command's result; output is cut at 16 MiB. */
export interface ExecSyncResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}

/** A process whose streams the caller holds. Streams that were not asked for are `undefined`. */
export interface ProcessStreams {
  /** Ending it closes the process' standard input (half-close). */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  /** Never with a terminal: there both come on `stdout`. */
  readonly stderr: Readable | undefined;
  /** No effect without a terminal. */
  resize(size: { readonly width: number; readonly height: number }): Promise<void>;
  /** After the streams ended: the exit code. For `attach`, that of the container's own process, or 0 on detach. */
  readonly exit: Promise<number>;
  /** Lets go: kills the process that `exec` started; for `attach`, detaches. */
  close(): Promise<void>;
}

export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** What a client with a SPDY or old WebSocket connection is passed through to, where the runtime has a server for it. */
export type StreamingRequest =
  | ({ readonly kind: "exec"; readonly containerId: string; readonly command: readonly string[] } & StreamOptions)
  | ({ readonly kind: "attach"; readonly containerId: string } & StreamOptions)
  | { readonly kind: "portForward"; readonly sandboxId: string };

export interface RuntimeFeatures {
  /** `spec.hostUsers: false`. */
  readonly userNamespaces: boolean;
  /** `supplementalGroupsPolicy: Strict`. */
  readonly supplementalGroupsPolicy: boolean;
}

/** A container runtime. Every call takes the signal that ends the caller's interest in it. Failures throw `RuntimeError`. */
export interface Runtime extends AsyncDisposable {
  /** What pods may ask for of this runtime beyond the common. */
  readonly features: RuntimeFeatures;
  /** True where nothing really runs. */
  readonly isSimulated?: boolean;
  /** Where nothing runs that could be asked: how a container answers a probe or hook; `undefined`: it is to be asked itself. */
  pretendedAnswer?(
    containerId: string,
    asked: {
      readonly by: "startup" | "liveness" | "readiness" | "hook";
      readonly command: readonly string[] | undefined;
    },
  ): { readonly passes: boolean; readonly message: string } | undefined;
  /** Name and version for `node.status.nodeInfo.containerRuntimeVersion`, as in `containerd://1.6.20`. */
  version(signal: AbortSignal): Promise<{ readonly name: string; readonly version: string }>;
  /** Whether sandboxes can be run and the pod network is set up; `message` says what is missing. */
  status(
    signal: AbortSignal,
  ): Promise<{ readonly runtimeReady: boolean; readonly networkReady: boolean; readonly message: string }>;

  runPodSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string>;
  /** Stops all containers at once and tears the network down. Repeating it is fine, also for a sandbox that is gone. */
  stopPodSandbox(id: string, signal: AbortSignal): Promise<void>;
  /** Takes it away with all its containers, after stopping what was not stopped. Repeating it is fine. */
  removePodSandbox(id: string, signal: AbortSignal): Promise<void>;
  listPodSandboxes(signal: AbortSignal): Promise<readonly SandboxSummary[]>;
  podSandboxStatus(id: string, signal: AbortSignal): Promise<SandboxStatus>;

  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
    signal: AbortSignal,
  ): Promise<string>;
  startContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Sends the stop signal, then SIGKILL after `graceSeconds`. Resolves when it has exited. Repeating it is fine. */
  stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void>;
  removeContainer(id: string, signal: AbortSignal): Promise<void>;
  listContainers(signal: AbortSignal): Promise<readonly ContainerSummary[]>;
  containerStatus(id: string, signal: AbortSignal): Promise<ContainerStatus>;
  updateContainerResources(id: string, resources: LinuxResources, signal: AbortSignal): Promise<void>;
  /** Makes the runtime open the container's log file anew, after it was rotated. */
  reopenContainerLog(id: string, signal: AbortSignal): Promise<void>;
  /** Waits until the log of a container that has ended is whole: the event of the end may come before that. */
  logWritten(id: string, signal: AbortSignal): Promise<void>;

  /** Runs a command to its end. After `timeoutMs` (0: none) throws `RuntimeError` with code `DEADLINE_EXCEEDED`. */
  execSync(id: string, command: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ExecSyncResult>;
  exec(id: string, command: readonly string[], options: StreamOptions, signal: AbortSignal): Promise<ProcessStreams>;
  attach(id: string, options: StreamOptions, signal: AbortSignal): Promise<ProcessStreams>;
  /** A connection to a port on the loopback of the pod's network. */
  portForward(sandboxId: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Address of the runtime's own streaming server for one such session, or `undefined` where it has none. */
  streamingUrl(request: StreamingRequest, signal: AbortSignal): Promise<URL | undefined>;

  /** Events from now on, without end until aborted; the runtime reconnects by itself and then says `resync`. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;

  listImages(signal: AbortSignal): Promise<readonly ImageSummary[]>;
  /** `undefined` when the node does not have it. Takes any reference or id. */
  imageStatus(reference: string, signal: AbortSignal): Promise<ImageSummary | undefined>;
  /** Gives the image's id. Codes: `NOT_FOUND`, `UNAUTHENTICATED`, `UNAVAILABLE`, … with the registry's message. */
  pullImage(reference: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string>;
  removeImage(reference: string, signal: AbortSignal): Promise<void>;
  /**
   * Makes an image's files (by its id) available to be mounted, read-only, until `releaseImageFiles` is called with the same key.
   * Repeating it is fine. `undefined`: there are no files (simulated).
   */
  prepareImageFiles(image: string, key: string, signal: AbortSignal): Promise<FileSystemMount | undefined>;
  /** Fine when there is nothing of that key. It must not be mounted any more. */
  releaseImageFiles(key: string, signal: AbortSignal): Promise<void>;
  /** Reads an OCI or docker archive (plain or gzip tar); gives the references it brought. */
  importImage(archive: Readable, signal: AbortSignal): Promise<readonly string[]>;
  imageFsInfo(
    signal: AbortSignal,
  ): Promise<{ readonly mountpoint: string; readonly usedBytes: number; readonly inodesUsed: number }>;

  containerStats(signal: AbortSignal): Promise<readonly ContainerStats[]>;
  /** Takes away what the runtime has lost sight of, as when it was killed while it made sandboxes; gives what that was. */
  removeStrays(signal: AbortSignal): Promise<readonly string[]>;
}

export type RuntimeErrorCode =
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "INVALID_ARGUMENT"
  | "FAILED_PRECONDITION"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "DEADLINE_EXCEEDED"
  | "UNAVAILABLE"
  | "UNIMPLEMENTED"
  | "UNKNOWN";

/** The runtime refused or failed. The message is fit for an event (`Failed to pull image …: MESSAGE`). */
export class RuntimeError extends Error {
  override name = "RuntimeError";
  readonly code: RuntimeErrorCode;
  constructor(code: RuntimeErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
