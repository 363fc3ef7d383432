import { asMillis, asUnits, type Container, type Pod } from "@skiff/api";
import type { ContainerUsage, NodeUsage } from "@skiff/apiserver";

/** What a container uses at a moment. */
export interface ContainerLoad {
  /** Thousandths of a core. */
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** Chooses what a running container uses. `nowMs` is the cluster's time. */
export type PodLoads = (pod: Pod, container: Container, nowMs: number) => ContainerLoad;

/** What pods say of themselves, in KWOK's annotations `kwok.x-k8s.io/usage-cpu` and `usage-memory`; else next to nothing. */
export const annotatedLoad: PodLoads = ({ metadata: { annotations = {} } }) => ({
  cpuMillis: asMillis(annotations["kwok.x-k8s.io/usage-cpu"] ?? "1m"),
  memoryBytes: asUnits(annotations["kwok.x-k8s.io/usage-memory"] ?? "4Mi"),
});

/** Counts what the containers of a node's pods have used, as a kubelet would tell it. */
export class SimulatedUsage {
  readonly #loads: PodLoads;
  /** By pod's uid and container's name. */
  #counters = new Map<string, ContainerUsage>();
  #nodeNanos = 0;

  constructor(loads: PodLoads) {
    this.#loads = loads;
  }

  /** Everything up to now. Loads count as they are now for the time since this was last asked for. */
  read(pods: readonly Pod[], nowMs: number): NodeUsage {
    const counters = new Map<string, ContainerUsage>();
    let memoryBytes = 0;
    for (const pod of pods) {
      for (const container of pod.spec.containers) {
        const state = pod.status?.containerStatuses?.find(({ name }) => name === container.name)?.state;
        if (state?.running === undefined) continue;
        const startedMs = Date.parse(state.running.startedAt ?? "");
        const key = `${pod.metadata.uid}/${container.name}`;
        const known = this.#counters.get(key);
        const before = known?.startedMs === startedMs ? known : { atMs: startedMs, cpuNanos: 0 };
        const load = this.#loads(pod, container, nowMs);
        const usedNanos = load.cpuMillis * (nowMs - before.atMs) * 1000;
        this.#nodeNanos += usedNanos;
        memoryBytes += load.memoryBytes;
        counters.set(key, {
          namespace: pod.metadata.namespace,
          pod: pod.metadata.name,
          container: container.name,
          atMs: nowMs,
          startedMs,
          cpuNanos: before.cpuNanos + usedNanos,
          memoryBytes: load.memoryBytes,
        });
      }
    }
    this.#counters = counters;
    return { node: { atMs: nowMs, cpuNanos: this.#nodeNanos, memoryBytes }, containers: [...counters.values()] };
  }
}
