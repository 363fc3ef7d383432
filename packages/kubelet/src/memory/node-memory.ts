import { join } from "node:path";
import { asUnits, type Container, type Pod, podRequests } from "@skiff/api";
import { describeError, type Logger } from "@skiff/base";
import { type ContainerGrant, noGrant } from "../grants/container-grant.ts";
import type { HintProvider } from "../grants/hint-provider.ts";
import { qosClass } from "../pods/qos.ts";
import { cpuSetText } from "../topology/cpu-set.ts";
import type { NumaMemory } from "../topology/machine-topology.ts";
import { type NumaHints, type NumaSet, numaNodes } from "../topology/numa.ts";
import { chooseMemory, memoryHints, type NumaCapacity } from "./choose-memory.ts";
import { type MemoryBlock, readMemoryState, writeMemoryState } from "./memory-state.ts";

export interface NodeMemoryOptions {
  /** The kubelet's folder. */
  readonly rootFolder: string;
  readonly memory: readonly NumaMemory[];
  /** What no container has, by NUMA node and sort of memory. */
  readonly reserved: ReadonlyMap<number, Readonly<Record<string, number>>>;
  readonly logger: Logger;
}

const isMemory = (name: string): boolean => name === "memory" || name.startsWith("hugepages-");

/**
 * Gives containers of guaranteed pods their memory from as few NUMA nodes as can be.
 * https://kubernetes.io/docs/tasks/administer-cluster/memory-manager/
 */
export class NodeMemory implements HintProvider {
  readonly #options: NodeMemoryOptions;
  readonly capacity: NumaCapacity;
  #blocks: readonly MemoryBlock[];
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: NodeMemoryOptions, blocks: readonly MemoryBlock[]) {
    this.#options = options;
    this.#blocks = blocks;
    this.capacity = new Map(
      options.memory.map(({ node, bytes, hugePages }) => {
        const huge = Object.entries(hugePages).map(([size, amount]) => [`hugepages-${size}`, amount] as const);
        const plain = bytes - huge.reduce((sum, [, amount]) => sum + amount, 0);
        const reserved = options.reserved.get(node) ?? {};
        const left = [["memory", plain] as const, ...huge].map(
          ([type, amount]) => [type, Math.max(0, amount - (reserved[type] ?? 0))] as const,
        );
        return [node, Object.fromEntries(left)];
      }),
    );
  }

  /** Throws where the state file cannot be used. */
  static async start(options: NodeMemoryOptions): Promise<NodeMemory> {
    return new NodeMemory(options, await readMemoryState(fileOf(options)));
  }

  /** What a container has of which nodes. */
  blocksOf(podUid: string, container: string): readonly MemoryBlock[] {
    return this.#blocks.filter((one) => one.podUid === podUid && one.container === container);
  }

  #wanted(pod: Pod, { resources }: Container): Readonly<Record<string, number>> {
    if (qosClass(pod) !== "Guaranteed" || pod.spec.resources?.requests !== undefined) return {};
    return bytesOf({ ...resources?.limits, ...resources?.requests });
  }

  concerns(pod: Pod): boolean {
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    return all.some((container) => Object.keys(this.#wanted(pod, container)).length > 0);
  }

  hints(pod: Pod, container: Container): NumaHints {
    const wanted = this.#wanted(pod, container);
    if (Object.keys(wanted).length === 0) return new Map();
    const others = this.#blocks.filter((one) => one.podUid !== pod.metadata.uid || one.container !== container.name);
    return hintsOf(this.capacity, others, wanted);
  }

  podHints(pod: Pod): NumaHints {
    if (qosClass(pod) !== "Guaranteed" || pod.spec.resources?.requests !== undefined) return new Map();
    const others = this.#blocks.filter((one) => one.podUid !== pod.metadata.uid);
    return hintsOf(this.capacity, others, bytesOf(podRequests(pod)));
  }

  async allocate(pod: Pod, container: Container, affinity: NumaSet | undefined): Promise<void> {
    const wanted = this.#wanted(pod, container);
    const { uid: podUid } = pod.metadata;
    if (Object.keys(wanted).length === 0 || this.blocksOf(podUid, container.name).length > 0) return;
    const passing = new Set((pod.spec.initContainers ?? []).map(({ name }) => name));
    // What init containers have is there again when the others start.
    const others = this.#blocks.filter((one) => one.podUid !== podUid || !passing.has(one.container));
    const nodes = chooseMemory(this.capacity, others, wanted, affinity);
    const blocks = Object.entries(wanted).map(([type, bytes]) => ({
      podUid,
      container: container.name,
      type,
      nodes,
      bytes,
    }));
    this.#change([...this.#blocks, ...blocks]);
    await this.#writing;
  }

  release(podUid: string): void {
    const kept = this.#blocks.filter((one) => one.podUid !== podUid);
    if (kept.length < this.#blocks.length) this.#change(kept);
  }

  holders(): ReadonlySet<string> {
    return new Set(this.#blocks.map(({ podUid }) => podUid));
  }

  async grant(pod: Pod, container: Container): Promise<ContainerGrant> {
    const [block] = this.blocksOf(pod.metadata.uid, container.name);
    return block === undefined ? noGrant : { ...noGrant, cpusetMems: cpuSetText(numaNodes(block.nodes)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  #change(blocks: readonly MemoryBlock[]): void {
    this.#blocks = blocks;
    this.#writing = this.#writing
      .then(() => writeMemoryState(fileOf(this.#options), this.#blocks))
      .catch((error: unknown) => this.#options.logger.warn(`state of memory: ${describeError(error)}`));
  }
}

const fileOf = ({ rootFolder }: NodeMemoryOptions): string => join(rootFolder, "memory_manager_state");

const bytesOf = (amounts: Readonly<Record<string, string>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(amounts).flatMap(([name, amount]) => (isMemory(name) ? [[name, asUnits(amount)] as const] : [])),
  );

const hintsOf = (
  capacity: NumaCapacity,
  blocks: readonly MemoryBlock[],
  wanted: Readonly<Record<string, number>>,
): NumaHints => {
  const hints = memoryHints(capacity, blocks, wanted);
  return new Map(Object.keys(wanted).map((type) => [type, hints]));
};
