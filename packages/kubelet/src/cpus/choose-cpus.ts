import { asMillis, type Container, type Pod } from "@skiff/api";
import { AdmissionRefusal } from "../grants/admission-refusal.ts";
import { qosClass } from "../pods/qos.ts";
import { type CpuSet, common, cpuSet, union, without } from "../topology/cpu-set.ts";
import type { CpuPlace } from "../topology/machine-topology.ts";
import { type NumaHint, type NumaSet, numaCount, numaNodes, numaSubsets } from "../topology/numa.ts";
import { type CpuRules, takeByRules } from "./cpu-rules.ts";
import { cpusPerCore, wholeCores } from "./take-cpus.ts";

/** So many whole CPUs a container has alone; 0: it shares those of all. */
export function exclusiveCpus(pod: Pod, { resources }: Container): number {
  // What a pod asks for as a whole is not divided among its containers.
  if (qosClass(pod) !== "Guaranteed" || pod.spec.resources?.requests !== undefined) return 0;
  const millis = asMillis(resources?.requests?.cpu ?? resources?.limits?.cpu ?? "0");
  return millis % 1000 === 0 ? millis / 1000 : 0;
}

const inNuma = (cpus: readonly CpuPlace[], set: NumaSet): CpuSet =>
  cpuSet(cpus.filter(({ numa }) => numaNodes(set).includes(numa)).map(({ cpu }) => cpu));

/** Where so many CPUs could come from: of the free ones, with all the reusable ones among them. */
export function cpuHints(
  cpus: readonly CpuPlace[],
  { count, free, reusable }: { readonly count: number; readonly free: CpuSet; readonly reusable: CpuSet },
  { nodes, bySocket }: { readonly nodes: readonly number[]; readonly bySocket: boolean },
): readonly NumaHint[] {
  let least = nodes.length;
  const found: NumaSet[] = [];
  for (const set of numaSubsets(nodes)) {
    const members = inNuma(cpus, set);
    if (members.length >= count) least = Math.min(least, numaCount(set));
    if (without(reusable, members).length > 0) continue;
    if (common(union(free, reusable), members).length >= count) found.push(set);
  }
  const isNear = bySocket ? onFewestSockets(cpus, nodes.length, least) : () => false;
  return found.map((set) => ({ nodes: set, preferred: numaCount(set) === least || isNear(set) }));
}

const socketsOf = (cpus: readonly CpuPlace[], set: NumaSet): ReadonlySet<number> =>
  new Set(cpus.filter(({ numa }) => numaNodes(set).includes(numa)).map(({ socket }) => socket));

/** Whether NUMA nodes are of no more sockets than so many nodes need. */
function onFewestSockets(cpus: readonly CpuPlace[], nodes: number, least: number): (set: NumaSet) => boolean {
  const each = Math.floor(nodes / new Set(cpus.map(({ socket }) => socket)).size);
  return (set) => each > 0 && socketsOf(cpus, set).size === Math.ceil(least / each);
}

/** The CPUs of NUMA nodes, or of all that is on their sockets. */
function near(cpus: readonly CpuPlace[], affinity: NumaSet, { bySocket }: CpuRules): CpuSet {
  if (!bySocket) return inNuma(cpus, affinity);
  const sockets = socketsOf(cpus, affinity);
  return cpuSet(cpus.filter(({ socket }) => sockets.has(socket)).map(({ cpu }) => cpu));
}

/** Which CPUs a container gets: near to `affinity` first. Throws where there are not enough. */
export function chooseCpus(
  cpus: readonly CpuPlace[],
  wanted: {
    readonly count: number;
    readonly free: CpuSet;
    readonly affinity: NumaSet | undefined;
    readonly rules: CpuRules;
  },
): CpuSet {
  const { count, free, affinity, rules } = wanted;
  if (rules.wholeCores) checkAlignment(cpus, count, free);
  const take = (from: CpuSet, some: number): CpuSet => {
    const taken = takeByRules(cpus, from, { count: some, rules });
    if (taken === undefined)
      throw new Error(`not enough cpus available to satisfy request: requested=${some}, available=${from.length}`);
    return taken;
  };
  const aligned = affinity === undefined ? [] : common(free, near(cpus, affinity, rules));
  const first = take(aligned, Math.min(count, aligned.length));
  return union(first, take(without(free, first), count - first.length));
}

/** Whole cores alone are given out: others' threads would be their neighbours. */
function checkAlignment(cpus: readonly CpuPlace[], count: number, free: CpuSet): void {
  const each = cpusPerCore(cpus);
  const reason = "SMTAlignmentError";
  if (count % each !== 0) {
    const message = `SMT Alignment Error: requested ${count} cpus not multiple cpus per core = ${each}`;
    throw new AdmissionRefusal(reason, message);
  }
  const whole = wholeCores(cpus, free).length;
  if (count > whole) {
    const message = `SMT Alignment Error: not enough free physical CPUs: available physical CPUs = ${whole}, requested CPUs = ${count}, CPUs per core = ${each}`;
    throw new AdmissionRefusal(reason, message);
  }
}
