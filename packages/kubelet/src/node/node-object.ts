import type { ContainerImage, New, Node, NodeCondition, NodeFeature, NodeStatus } from "@skiff/api";
import { asMillis, asUnits, knownNodeFeatures } from "@skiff/api";
import { timestamp } from "@skiff/base";
import type { ImageSummary } from "@skiff/runtime";
import { defaultConfiguration, type KubeletConfiguration } from "../config/kubelet-configuration.ts";
import type { DeviceCount } from "../devices/device-table.ts";
import { amountOf } from "../eviction/thresholds.ts";
import type { NodeIdentity, NodeMachine } from "../options.ts";

type Texts = Readonly<Record<string, string>>;

/** The machine's resources, all of them and what pods may use: less what is reserved, and what is kept from running out. */
export function nodeResources(
  machine: NodeMachine,
  configuration: KubeletConfiguration = defaultConfiguration,
): { readonly capacity: Texts; readonly allocatable: Texts } {
  const { kubeReserved, systemReserved, evictionHard, maxPods } = configuration;
  const pods = String(Math.min(Number(machine.pods), maxPods));
  const capacity = {
    cpu: machine.cpu,
    "ephemeral-storage": machine.ephemeralStorage,
    "hugepages-1Gi": machine.hugePages?.["1Gi"] ?? "0",
    "hugepages-2Mi": machine.hugePages?.["2Mi"] ?? "0",
    memory: machine.memory,
    pods,
  };
  const reserved = (name: string) => asMillis(kubeReserved[name] ?? "0") + asMillis(systemReserved[name] ?? "0");
  const cpuMillis = asMillis(machine.cpu) - reserved("cpu");
  const memory = asUnits(machine.memory);
  const huge = asUnits(capacity["hugepages-1Gi"]) + asUnits(capacity["hugepages-2Mi"]);
  const left = (name: "memory" | "ephemeral-storage", total: number, signal: string) =>
    Math.max(0, total - reserved(name) / 1000 - amountOf(evictionHard[signal] ?? "0", total));
  const storage = asUnits(machine.ephemeralStorage);
  return {
    capacity,
    allocatable: {
      ...capacity,
      cpu: reserved("cpu") === 0 ? machine.cpu : `${Math.max(0, cpuMillis)}m`,
      memory: `${Math.floor((left("memory", memory, "memory.available") - huge) / 1024)}Ki`,
      "ephemeral-storage": String(Math.floor(left("ephemeral-storage", storage, "nodefs.available"))),
    },
  };
}

/** What this kubelet can do that others in a cluster perhaps cannot, as far as it is not turned off: the node declares it. */
export const declaredFeatures = ({ featureGates }: Pick<KubeletConfiguration, "featureGates">): NodeFeature[] =>
  knownNodeFeatures.filter((feature) => featureGates[feature] !== false);

/** Labels that every node bears, and those this one is given. */
export const nodeLabels = (node: NodeIdentity, machine: NodeMachine): Texts => ({
  "beta.kubernetes.io/arch": machine.architecture,
  "beta.kubernetes.io/os": machine.operatingSystem,
  "kubernetes.io/arch": machine.architecture,
  "kubernetes.io/hostname": node.name,
  "kubernetes.io/os": machine.operatingSystem,
  ...node.labels,
});

/** Annotations of the same kind. The cluster's controllers attach its volumes. */
export const nodeAnnotations = (node: NodeIdentity): Texts => ({
  "volumes.kubernetes.io/controller-managed-attach-detach": "true",
  ...node.annotations,
});

/** What the node's condition depends on. */
export interface NodeHealth {
  readonly runtimeReady: boolean;
  readonly networkReady: boolean;
  readonly message: string;
  /** Types of the conditions that tell of pressure and are true. */
  readonly pressures: ReadonlySet<string>;
  /** The machine is about to be shut down. */
  readonly shuttingDown: boolean;
}

/** The node's conditions, with Kubernetes' reasons and messages; transition times kept where nothing changed. */
export function nodeConditions(
  health: NodeHealth,
  options: { readonly before: readonly NodeCondition[]; readonly nowMs: number },
): NodeCondition[] {
  const now = timestamp(options.nowMs);
  const condition = (type: string, status: boolean, reason: string, message: string): NodeCondition => {
    const old = options.before.find((one) => one.type === type);
    const text = status ? "True" : "False";
    return {
      type,
      status: text,
      lastHeartbeatTime: now,
      lastTransitionTime: old?.status === text ? (old.lastTransitionTime ?? now) : now,
      reason,
      message,
    };
  };
  const { pressures } = health;
  const { shuttingDown } = health;
  const isUp = health.runtimeReady && health.networkReady;
  const reasons = [
    ...(isUp ? [] : [health.message || "container runtime is down"]),
    ...(shuttingDown ? ["node is shutting down"] : []),
  ];
  const unready = reasons.length > 1 ? `[${reasons.join(", ")}]` : reasons.join("");
  const own = [
    pressures.has("MemoryPressure")
      ? condition("MemoryPressure", true, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
      : condition("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    pressures.has("DiskPressure")
      ? condition("DiskPressure", true, "KubeletHasDiskPressure", "kubelet has disk pressure")
      : condition("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    pressures.has("PIDPressure")
      ? condition("PIDPressure", true, "KubeletHasInsufficientPID", "kubelet has insufficient PID available")
      : condition("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    unready === ""
      ? condition("Ready", true, "KubeletReady", "kubelet is posting ready status")
      : condition("Ready", false, "KubeletNotReady", unready),
  ];
  const types = new Set(own.map((one) => one.type));
  return [...options.before.filter((one) => !types.has(one.type)), ...own];
}

/** The largest images of a node, as its status lists them: at most 50, with at most five names each. */
export const nodeImages = (images: readonly ImageSummary[]): ContainerImage[] =>
  images
    .map((image) => ({ names: [...image.repoDigests, ...image.repoTags].slice(0, 5), sizeBytes: image.sizeBytes }))
    .filter((image) => image.names.length > 0)
    .sort((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, 50);

/** Everything of a node's status but the conditions. Resources that others patched in are kept. */
export function nodeStatus(options: {
  readonly node: NodeIdentity;
  readonly machine: NodeMachine;
  readonly configuration: KubeletConfiguration;
  readonly port: number;
  readonly containerRuntimeVersion: string;
  readonly images: readonly ImageSummary[];
  readonly conditions: NodeCondition[];
  readonly volumesInUse: readonly string[];
  /** What plugins offer, by resource. */
  readonly devices: ReadonlyMap<string, DeviceCount>;
  readonly before: NodeStatus | undefined;
}): NodeStatus {
  const { node, machine, before } = options;
  const counts = (count: (of: DeviceCount) => number) =>
    Object.fromEntries([...options.devices].map(([name, one]) => [name, String(count(one))]));
  const { capacity, allocatable } = nodeResources(machine, options.configuration);
  return {
    ...before,
    addresses: [
      ...node.addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: node.name },
    ],
    capacity: { ...before?.capacity, ...capacity, ...counts((one) => one.capacity) },
    allocatable: { ...before?.allocatable, ...allocatable, ...counts((one) => one.allocatable) },
    conditions: options.conditions,
    declaredFeatures: declaredFeatures(options.configuration),
    daemonEndpoints: { kubeletEndpoint: { Port: options.port } },
    images: nodeImages(options.images),
    // Absent where none is; said as an empty list once when the last one went.
    ...(options.volumesInUse.length > 0 || before?.volumesInUse !== undefined
      ? { volumesInUse: [...options.volumesInUse] }
      : {}),
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: options.containerRuntimeVersion,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: "",
      kubeletVersion: node.kubeletVersion,
      machineID: machine.machineId,
      operatingSystem: machine.operatingSystem,
      osImage: machine.osImage,
      systemUUID: machine.systemUuid,
    },
  };
}

/** Whether two statuses say the same, heartbeats aside. */
export const withoutHeartbeats = (status: NodeStatus): NodeStatus => ({
  ...status,
  conditions: (status.conditions ?? []).map(({ lastHeartbeatTime: _, ...rest }) => rest),
});

/** The object of a node that is not known yet. */
export const newNode = (node: NodeIdentity, labels: Texts, status: NodeStatus): New<Node> => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name: node.name,
    labels: { ...labels },
    annotations: { ...nodeAnnotations(node) },
  },
  spec: {},
  status,
});
