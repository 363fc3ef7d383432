import type { Container, Pod } from "@skiff/api";
import { describeError } from "@skiff/base";
import type { PodFailure } from "../pods/pod-status.ts";
import type { NumaHints, NumaSet } from "../topology/numa.ts";
import { judgeTopology, type NumaNodes, type TopologyPolicy, topologyRefusal } from "../topology/policy.ts";
import { AdmissionRefusal } from "./admission-refusal.ts";
import { type ContainerGrant, mergeGrants } from "./container-grant.ts";
import type { HintProvider } from "./hint-provider.ts";

/** How what a pod gets is kept together. */
export interface TopologyOptions {
  readonly policy: TopologyPolicy;
  /** Whether each container has a place of its own, or the whole pod one. */
  readonly scope: "container" | "pod";
  readonly preferClosest: boolean;
  readonly numa: NumaNodes;
}

const containersOf = ({ spec }: Pod): readonly Container[] => [...(spec.initContainers ?? []), ...spec.containers];

/**
 * Sets aside for a pod, before it runs, what no other may have: devices, whole CPUs, memory of a NUMA node. One pod after the
 * other, so that what one was given nobody else is promised.
 */
export class NodeGrants {
  readonly #providers: readonly HintProvider[];
  readonly #topology: TopologyOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(providers: readonly HintProvider[], topology: TopologyOptions) {
    this.#providers = providers;
    this.#topology = topology;
  }

  /** Whether the pod asks for anything that is set aside. */
  concerns(pod: Pod): boolean {
    return this.#providers.some((provider) => provider.concerns(pod));
  }

  /** Why the pod cannot have what it asks for; `undefined`: it has it now. */
  async admit(pod: Pod, signal: AbortSignal): Promise<PodFailure | undefined> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await before;
      signal.throwIfAborted();
      await this.#allocate(pod, signal);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      this.release(pod.metadata.uid);
      return failureOf(error);
    } finally {
      resolve();
    }
  }

  /** What the container is to be made with. Asked each time that it is about to start. */
  async grant(pod: Pod, container: Container, signal: AbortSignal): Promise<ContainerGrant> {
    const grants: ContainerGrant[] = [];
    for (const provider of this.#providers) grants.push(await provider.grant(pod, container, signal));
    return mergeGrants(grants);
  }

  release(podUid: string): void {
    for (const provider of this.#providers) provider.release(podUid);
  }

  /** Pods that something is set aside for. */
  holders(): ReadonlySet<string> {
    return new Set(this.#providers.flatMap((provider) => [...provider.holders()]));
  }

  async #allocate(pod: Pod, signal: AbortSignal): Promise<void> {
    const { scope, policy } = this.#topology;
    // Where nobody cares nobody is asked: there are as many hints as sets of NUMA nodes.
    const placed = policy === "none" ? "nowhere" : scope;
    const whole = placed === "pod" ? this.#place(this.#podHints(pod)) : undefined;
    for (const container of containersOf(pod)) {
      const affinity =
        placed === "container" ? this.#place(this.#providers.map((provider) => provider.hints(pod, container))) : whole;
      for (const provider of this.#providers) await provider.allocate(pod, container, affinity, signal);
    }
  }

  #podHints(pod: Pod): readonly NumaHints[] {
    return this.#providers.map((provider) => provider.podHints(pod));
  }

  /** Where to take everything from. Throws where the policy has the pod not taken. */
  #place(hints: readonly NumaHints[]): NumaSet | undefined {
    const { policy, numa, preferClosest } = this.#topology;
    const { admitted, affinity } = judgeTopology(policy, hints, numa, { preferClosest });
    if (!admitted) throw new AdmissionRefusal(topologyRefusal.reason, topologyRefusal.message);
    return affinity;
  }
}

function failureOf(error: unknown): PodFailure {
  const { reason, message } =
    error instanceof AdmissionRefusal
      ? error
      : {
          reason: "UnexpectedAdmissionError",
          message: `Allocate failed due to ${describeError(error)}, which is unexpected`,
        };
  return { reason, message: `Pod was rejected: ${message}`, rejected: true };
}
