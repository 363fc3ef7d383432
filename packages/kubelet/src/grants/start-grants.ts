import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod, ResourceStatus } from "@skiff/api";
import { Background } from "@skiff/base";
import { ClaimDrivers } from "../claims/claim-drivers.ts";
import { ClaimHealth } from "../claims/claim-health.ts";
import { NodeClaims } from "../claims/node-claims.ts";
import { defaultConfiguration, type KubeletConfiguration } from "../config/kubelet-configuration.ts";
import { reservedCpus, reservedMemoryOf } from "../config/placement.ts";
import { cpuRulesOf, machineProblem, prefersClosest } from "../config/policy-options.ts";
import { CpuApplier } from "../cpus/apply-cpus.ts";
import type { CpuRules } from "../cpus/cpu-rules.ts";
import { NodeCpus } from "../cpus/node-cpus.ts";
import { NodeDevices } from "../devices/node-devices.ts";
import { NodeMemory } from "../memory/node-memory.ts";
import type { KubeletOptions } from "../options.ts";
import { servePodResources } from "../pod-resources/serve-pod-resources.ts";
import { type MachineTopology, readMachineTopology } from "../topology/machine-topology.ts";
import { NodeGrants } from "./node-grants.ts";

/** What the node sets aside for single pods, and those who give it out. */
export interface StartedGrants extends AsyncDisposable {
  readonly grants: NodeGrants;
  readonly devices: NodeDevices;
  readonly claims: NodeClaims;
  readonly drivers: ClaimDrivers;
  /** Absent where the node gives no whole CPUs to single containers. */
  readonly cpus: NodeCpus | undefined;
  /** Absent where the node does not look at which NUMA nodes memory is of. */
  readonly memory: NodeMemory | undefined;
  /** How the devices are that a container has. */
  deviceHealth(pod: Pod, container: Container): readonly ResourceStatus[];
}

/** Takes up what was set aside before the kubelet was restarted. */
export async function startGrants(
  options: Pick<KubeletOptions, "node" | "client" | "runtime" | "configuration" | "topology" | "clock" | "logger">,
  {
    onChange,
    onHealth,
    pods,
  }: {
    readonly onChange: () => void;
    /** Devices of a pod are not as they were. */
    readonly onHealth: (podUid: string) => void;
    readonly pods: () => readonly Pod[];
  },
): Promise<StartedGrants> {
  const { node, client, clock, logger } = options;
  const topology = options.topology ?? (await readMachineTopology());
  const devices = await NodeDevices.start({
    folder: join(node.rootFolder, "device-plugins"),
    numaNodes: topology.numa.nodes,
    clock,
    logger,
    onChange,
    onHealth: (podUids) => podUids.forEach(onHealth),
  });
  const configuration = options.configuration ?? defaultConfiguration;
  const { placement, featureGates } = configuration;
  const rules = placement.cpuManagerPolicy === "static" ? cpuRulesOf(placement.cpuManagerPolicyOptions) : undefined;
  const problem = machineProblem(
    { policy: placement.topologyManagerPolicy, topologyOptions: placement.topologyManagerPolicyOptions, rules },
    { numaNodes: topology.numa.nodes.length, sockets: new Set(topology.cpus.map(({ socket }) => socket)).size },
  );
  if (problem !== undefined) throw new Error(problem);
  await using stack = new AsyncDisposableStack();
  stack.use(devices);
  const cpus = await startCpus(options, { configuration, topology, rules, stack });
  const memory = await startMemory(options, { configuration, topology });
  if (memory !== undefined) stack.use(memory);
  const grants = new NodeGrants(
    [devices, cpus, memory].filter((one) => one !== undefined),
    {
      policy: placement.topologyManagerPolicy,
      scope: placement.topologyManagerScope,
      preferClosest: prefersClosest(placement.topologyManagerPolicyOptions),
      numa: topology.numa,
    },
  );
  const tellsHealth = featureGates.ResourceHealthStatus !== false;
  const onDriver = (driver: string) => claims.usersOf(driver).forEach(onHealth);
  const path = join(node.rootFolder, "dra_health_state");
  const health = tellsHealth
    ? stack.use(await ClaimHealth.start({ path, clock, logger, onChange: onDriver }))
    : undefined;
  const drivers = new ClaimDrivers({ nodeName: node.name, client, clock, logger, health });
  const claims = await NodeClaims.load({ rootFolder: node.rootFolder, drivers, client, logger });
  stack.use(drivers);
  const parts = { devices, claims, cpus, memory };
  const socket = join(node.rootFolder, "pod-resources", "kubelet.sock");
  stack.use(await servePodResources(socket, { parts, pods, logger }));
  const owned = stack.move();
  return {
    grants,
    devices,
    claims,
    drivers,
    cpus,
    memory,
    deviceHealth: (pod, container) =>
      health === undefined
        ? []
        : [...devices.health(pod.metadata.uid, container.name), ...claims.health(pod, container, health)],
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

interface Machine {
  readonly configuration: KubeletConfiguration;
  readonly topology: MachineTopology;
}

/** Whoever gives whole CPUs to containers; `undefined`: the node does not. */
async function startCpus(
  { node, runtime, clock, logger }: Pick<KubeletOptions, "node" | "runtime" | "clock" | "logger">,
  {
    configuration,
    topology,
    rules,
    stack,
  }: Machine & { readonly rules: CpuRules | undefined; readonly stack: AsyncDisposableStack },
): Promise<NodeCpus | undefined> {
  const { placement, kubeReserved, systemReserved } = configuration;
  if (rules === undefined) {
    await rm(join(node.rootFolder, "cpu_manager_state"), { force: true });
    return undefined;
  }
  const late: { applier?: CpuApplier } = {};
  const cpus = await NodeCpus.start({
    rootFolder: node.rootFolder,
    topology,
    reserved: reservedCpus(placement, [kubeReserved, systemReserved]),
    rules,
    logger,
    onShared: () => late.applier?.poke(),
  });
  const applier = new CpuApplier({ cpus, runtime, clock, logger });
  late.applier = applier;
  const background = stack.use(new Background({ logger }));
  background.run("CPUs of containers", (signal) => applier.run(signal));
  return stack.use(cpus);
}

/** Whoever gives memory of single NUMA nodes to containers; `undefined`: the node does not. */
async function startMemory(
  { node, logger }: Pick<KubeletOptions, "node" | "logger">,
  { configuration, topology }: Machine,
): Promise<NodeMemory | undefined> {
  const { placement } = configuration;
  if (placement.memoryManagerPolicy === "None") {
    await rm(join(node.rootFolder, "memory_manager_state"), { force: true });
    return undefined;
  }
  const reserved = reservedMemoryOf(placement);
  return NodeMemory.start({ rootFolder: node.rootFolder, memory: topology.memory, reserved, logger });
}
