import type { Container, Pod } from "@skiff/api";
import type { Init } from "@skiff/grpc";
import { containerClaims } from "../claims/claims-of-pod.ts";
import type { NodeClaims } from "../claims/node-claims.ts";
import type { NodeCpus } from "../cpus/node-cpus.ts";
import type { NodeDevices } from "../devices/node-devices.ts";
import type { NodeMemory } from "../memory/node-memory.ts";
import { isSidecar } from "../pods/restart-policy.ts";
import { numaNodes } from "../topology/numa.ts";
import type {
  AllocatableResourcesResponse,
  ContainerDevices,
  ContainerMemory,
  ContainerResources,
  DynamicResource,
  PodResources,
} from "./messages.ts";

/** Who gives out what the node sets aside. */
export interface GivingParts {
  readonly devices: NodeDevices;
  readonly claims: NodeClaims;
  readonly cpus: NodeCpus | undefined;
  readonly memory: NodeMemory | undefined;
}

const topologyOf = (nodes: readonly number[]) => ({ nodes: nodes.map((id) => ({ id })) });

/** Devices of one resource, those of each NUMA node by themselves. */
function byNode({ table }: NodeDevices, resourceName: string, ids: readonly string[]): Init<ContainerDevices>[] {
  const groups = new Map<string, { readonly nodes: readonly number[] | undefined; readonly ids: string[] }>();
  for (const id of ids) {
    const nodes = table.devices(resourceName).get(id)?.numa;
    const key = nodes?.join() ?? "";
    const group = groups.get(key) ?? { nodes, ids: [] };
    group.ids.push(id);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ nodes, ids: deviceIds }) => ({
    resourceName,
    deviceIds,
    ...(nodes === undefined ? {} : { topology: topologyOf(nodes) }),
  }));
}

/** What a pod's containers have; init containers, which have ended, aside. */
export function podResources(pod: Pod, parts: GivingParts): Init<PodResources> {
  const { name, namespace } = pod.metadata;
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  return {
    name,
    namespace,
    containers: [...sidecars, ...pod.spec.containers].map((container) => containerResources(pod, container, parts)),
  };
}

function containerResources(pod: Pod, container: Container, parts: GivingParts): Init<ContainerResources> {
  const { uid } = pod.metadata;
  const { devices, cpus, memory } = parts;
  return {
    name: container.name,
    devices: devices.holdings.of(uid, container.name).flatMap(({ resource, ids }) => byNode(devices, resource, ids)),
    cpuIds: cpus?.exclusive(uid, container.name) ?? [],
    memory: (memory?.blocksOf(uid, container.name) ?? []).map(({ type, bytes, nodes }) => ({
      memoryType: type,
      size: bytes,
      topology: topologyOf(numaNodes(nodes)),
    })),
    dynamicResources: dynamicResources(pod, container, parts.claims),
  };
}

function dynamicResources(pod: Pod, container: Container, { records }: NodeClaims): Init<DynamicResource>[] {
  const wanted = new Set(containerClaims(pod, container).map(({ name }) => name));
  return [...wanted].flatMap((name) => {
    const record = records.find((one) => one.name === name && one.namespace === pod.metadata.namespace);
    if (record === undefined) return [];
    const claimResources = record.devices.map(({ driver, pool, device, cdiDevices }) => ({
      driverName: driver,
      poolName: pool,
      deviceName: device,
      cdiDevices: cdiDevices.map((one) => ({ name: one })),
    }));
    return [{ claimName: name, claimNamespace: record.namespace, claimResources }];
  });
}

/** What containers could have of the node. */
export function allocatableResources({ devices, cpus, memory }: GivingParts): Init<AllocatableResourcesResponse> {
  const amounts = [...(memory?.capacity ?? [])].flatMap(([node, sorts]) =>
    Object.entries(sorts).map(
      ([memoryType, size]): Init<ContainerMemory> => ({ memoryType, size, topology: topologyOf([node]) }),
    ),
  );
  return {
    devices: devices.table.names().flatMap((name) => byNode(devices, name, devices.table.healthy(name))),
    cpuIds: cpus?.allocatable ?? [],
    memory: amounts,
  };
}
