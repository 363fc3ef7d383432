import { join } from "node:path";
import type { Container, Pod } from "@skiff/api";
import { describeError, type Logger } from "@skiff/base";
import { type ContainerGrant, noGrant } from "../grants/container-grant.ts";
import type { HintProvider } from "../grants/hint-provider.ts";
import { isSidecar } from "../pods/restart-policy.ts";
import { type CpuSet, cpuSetText, union, without } from "../topology/cpu-set.ts";
import type { MachineTopology } from "../topology/machine-topology.ts";
import type { NumaHint, NumaSet } from "../topology/numa.ts";
import { chooseCpus, cpuHints, exclusiveCpus } from "./choose-cpus.ts";
import { type CpuRules, takeByRules } from "./cpu-rules.ts";
import { assign, type CpuState, readCpuState, release, writeCpuState } from "./cpu-state.ts";

export interface NodeCpusOptions {
  /** The kubelet's folder. */
  readonly rootFolder: string;
  readonly topology: MachineTopology;
  /** CPUs that no container has alone: these, or so many. */
  readonly reserved: CpuSet | number;
  readonly rules: CpuRules;
  readonly logger: Logger;
  /** Others share more or fewer CPUs now. */
  readonly onShared: () => void;
}

/**
 * Gives whole CPUs to containers of guaranteed pods that ask for whole ones; all others share the rest.
 * https://kubernetes.io/docs/tasks/administer-cluster/cpu-management-policies/
 */
export class NodeCpus implements HintProvider {
  readonly #options: NodeCpusOptions;
  readonly #reserved: CpuSet;
  #state: CpuState;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: NodeCpusOptions, reserved: CpuSet, state: CpuState) {
    this.#options = options;
    this.#reserved = reserved;
    this.#state = state;
  }

  /** Throws where the configuration or the state file cannot be used. */
  static async start(options: NodeCpusOptions): Promise<NodeCpus> {
    const { topology, reserved: wanted, rules } = options;
    const all = topology.cpus.map(({ cpu }) => cpu).sort((a, b) => a - b);
    const count = typeof wanted === "number" ? wanted : wanted.length;
    if (count === 0)
      throw new Error(
        "[cpumanager] the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero",
      );
    const reserved = typeof wanted === "number" ? takeByRules(topology.cpus, all, { count: wanted, rules }) : wanted;
    if (reserved === undefined || without(reserved, all).length > 0)
      throw new Error(`[cpumanager] unable to reserve the required amount of CPUs (${count} of ${all.length})`);
    const state = await readCpuState(fileOf(options), { all, reserved, strict: rules.strictReservation });
    return new NodeCpus(options, reserved, state);
  }

  /** CPUs that containers could have alone. */
  get allocatable(): CpuSet {
    return without(
      this.#options.topology.cpus.map(({ cpu }) => cpu),
      this.#reserved,
    );
  }

  /** CPUs that the container has alone; `undefined`: it shares. */
  exclusive(podUid: string, container: string): CpuSet | undefined {
    return this.#state.entries.get(podUid)?.get(container);
  }

  /** The CPUs that a container runs on, as the kernel writes them. */
  cpusOf(podUid: string, container: string): string {
    return cpuSetText(this.exclusive(podUid, container) ?? this.#state.shared);
  }

  concerns(pod: Pod): boolean {
    return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some((one) => exclusiveCpus(pod, one) > 0);
  }

  hints(pod: Pod, container: Container): ReadonlyMap<string, readonly NumaHint[] | undefined> {
    const count = exclusiveCpus(pod, container);
    if (count === 0) return new Map();
    const held = this.exclusive(pod.metadata.uid, container.name);
    const free = held ?? this.#free;
    const reusable = held === undefined ? this.#reusable(pod, container) : [];
    return this.#hintsFor({ count, free, reusable });
  }

  podHints(pod: Pod): ReadonlyMap<string, readonly NumaHint[] | undefined> {
    let sidecars = 0;
    let most = 0;
    for (const one of pod.spec.initContainers ?? []) {
      const own = exclusiveCpus(pod, one);
      // Those that pass run beside the sidecars before them.
      if (isSidecar(one)) sidecars += own;
      else most = Math.max(most, sidecars + own);
    }
    const count = Math.max(
      most,
      pod.spec.containers.reduce((total, one) => total + exclusiveCpus(pod, one), sidecars),
    );
    if (count === 0) return new Map();
    const held = union(...(this.#state.entries.get(pod.metadata.uid)?.values() ?? []));
    return this.#hintsFor({ count, free: held.length > 0 ? held : this.#free, reusable: [] });
  }

  #hintsFor(wanted: { readonly count: number; readonly free: CpuSet; readonly reusable: CpuSet }) {
    const { topology, rules } = this.#options;
    const { cpus, numa } = topology;
    return new Map([["cpu", cpuHints(cpus, wanted, { nodes: numa.nodes, bySocket: rules.bySocket })]]);
  }

  get #free(): CpuSet {
    return without(this.#state.shared, this.#reserved);
  }

  /** What init containers of the pod had, which have ended by the time that `container` starts. */
  #reusable(pod: Pod, container: Container): CpuSet {
    const entries = this.#state.entries.get(pod.metadata.uid) ?? new Map<string, CpuSet>();
    const passing = (pod.spec.initContainers ?? []).filter((one) => !isSidecar(one)).map(({ name }) => name);
    const kept = union(...[...entries].filter(([name]) => !passing.includes(name)).map(([, cpus]) => cpus));
    const had = union(
      ...[...entries].filter(([name]) => passing.includes(name) && name !== container.name).map(([, cpus]) => cpus),
    );
    return without(had, kept);
  }

  async allocate(pod: Pod, container: Container, affinity: NumaSet | undefined): Promise<void> {
    const count = exclusiveCpus(pod, container);
    const { uid } = pod.metadata;
    if (count === 0 || this.exclusive(uid, container.name) !== undefined) return;
    const { topology, rules } = this.#options;
    const reusable = this.#reusable(pod, container);
    const first = reusable.length >= count && affinity === undefined ? reusable : union(this.#free, reusable);
    const chosen = chooseCpus(topology.cpus, { count, free: first, affinity, rules });
    this.#change(assign(this.#state, uid, container.name, chosen));
    await this.#writing;
  }

  release(podUid: string): void {
    if (this.#state.entries.has(podUid)) this.#change(release(this.#state, podUid));
  }

  holders(): ReadonlySet<string> {
    return new Set(this.#state.entries.keys());
  }

  async grant(pod: Pod, container: Container): Promise<ContainerGrant> {
    return { ...noGrant, cpusetCpus: this.cpusOf(pod.metadata.uid, container.name) };
  }

  /** Resolves when the state file has the newest state. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  #change(state: CpuState): void {
    this.#state = state;
    this.#writing = this.#writing
      .then(() => writeCpuState(fileOf(this.#options), this.#state))
      .catch((error: unknown) => this.#options.logger.warn(`state of CPUs: ${describeError(error)}`));
    this.#options.onShared();
  }
}

const fileOf = ({ rootFolder }: NodeCpusOptions): string => join(rootFolder, "cpu_manager_state");
