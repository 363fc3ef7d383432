import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import type { Datastore } from "../datastore/datastore.ts";
import { clusterPaths } from "./paths.ts";
import { type ClusterPodRanges, defaultPodRanges, wantedPodRange } from "./pod-ranges.ts";
import { portIsFree } from "./ports.ts";
import {
  ClusterError,
  type ClusterSettings,
  type HomeSettings,
  type RuntimeKind,
  readHomeSettings,
} from "./settings.ts";

/** What the user may say about a new cluster; the rest is chosen. */
export interface ClusterWishes {
  readonly name: string;
  readonly runtime: RuntimeKind;
  readonly apiPort?: number | undefined;
  readonly nodeIp: string;
  readonly datastore?: Datastore | undefined;
  readonly podRanges?: ClusterPodRanges | undefined;
  /** Takes a slot whose ports are free; false when another cluster of the machine has it. Absent: ports alone decide. */
  readonly claim?: ((slot: number) => Promise<boolean>) | undefined;
}

/**
 * The first slot of this machine whose number no other cluster has, whose ports (of which `ports` tells) are free, and which
 * `claim` gets.
 */
export async function chooseSlot(
  home: string,
  wishes: {
    readonly name: string;
    readonly ports: (slot: number) => readonly number[];
    readonly claim?: ClusterWishes["claim"];
  },
): Promise<number> {
  const others = (await clustersIn(home)).filter((other) => other.name !== wishes.name);
  // A cluster's further nodes have slots, too. After a boot nobody else may remember those of one that is stopped.
  const nodes = await Promise.all(others.map(({ name }) => clustersIn(clusterPaths(home, name).nodes)));
  const taken = new Set([...others, ...nodes.flat()].map(({ slot }) => slot));
  for (let slot = 0; slot < 64; slot++) {
    if (taken.has(slot)) continue;
    const free = await Promise.all(wishes.ports(slot).map(portIsFree));
    if (free.includes(false)) continue;
    if (wishes.claim === undefined || (await wishes.claim(slot))) return slot;
  }
  throw new ClusterError("NO_FREE_PORTS", "no free ports for another cluster on this machine");
}

/** Port of the kubelet of the cluster or node in a slot. */
export const kubeletPortOf = (slot: number): number => 10250 + 10 * slot;

/**
 * Settings of a new cluster beside those that `home` holds. Each slot has its own ports and address ranges:
 *
 * | slot | API | kubelet | pods | Services |
 * |---|---|---|---|---|
 * | 0 | 6443 | 10250 | 10.42.0.0/24 | 10.96.0.0/16 |
 * | 1 | 6444 | 10260 | 10.42.1.0/24 | 10.97.0.0/16 |
 */
export async function chooseSettings(home: string, wishes: ClusterWishes): Promise<ClusterSettings> {
  const { name, apiPort, claim, datastore } = wishes;
  if (apiPort !== undefined && !(await portIsFree(apiPort))) {
    throw new ClusterError("PORT_TAKEN", `port ${apiPort} is already in use; choose another with --api-port`);
  }
  const podRanges = wishes.podRanges ?? defaultPodRanges;
  const ports = (slot: number) => [kubeletPortOf(slot), ...(apiPort === undefined ? [6443 + slot] : [])];
  const slot = await chooseSlot(home, { name, ports, claim });
  return {
    name,
    runtime: wishes.runtime,
    nodeName: nodeNameOf(name),
    nodeIp: wishes.nodeIp,
    apiPort: apiPort ?? 6443 + slot,
    kubeletPort: kubeletPortOf(slot),
    ...podRanges,
    podCidr: wantedPodRange(podRanges, slot),
    serviceCidr: `10.${96 + slot}.0.0/16`,
    nodePorts: [30000, 32767],
    clusterDomain: "cluster.local",
    slot,
    ...(datastore === undefined ? {} : { datastore }),
  };
}

/** A node's name: the machine's, made fit for a Kubernetes name; clusters beside the default one carry their own name too. */
export function nodeNameOf(cluster: string): string {
  const machine = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, "-")
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  const name = machine === "" ? "node" : machine;
  return cluster === "default" ? name : `${name}-${cluster}`;
}

/** The settings of every cluster below `home`, and of every node that joined one. Damaged ones are left out: they must not keep others from starting. */
export async function clustersIn(home: string): Promise<readonly HomeSettings[]> {
  const entries = await readdir(home, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => readHomeSettings(clusterPaths(home, entry.name)).catch(() => undefined)),
  );
  return found.filter((settings) => settings !== undefined);
}
