import { asMillis, type Container, type Pod } from "@skiff/api";
import { AdmissionRefusal } from "../grants/admission-refusal.ts";
import { qosClass } from "../pods/qos.ts";
import { type CpuSet, common, cpuSet, union, without } from "../topology/cpu-set.ts";
import type { CpuPlace } from "../topology/machine-topology.ts";
import { type NumaHint, type NumaSet, numaCount, numaNodes, numaSubsets } from "../topology/numa.ts";
import { cpusPerCore, takeCpus, wholeCores } from "./take-cpus.ts";

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
  nodes: readonly number[],
): readonly NumaHint[] {
  let least = nodes.length;
  const found: NumaSet[] = [];
  for (const set of numaSubsets(nodes)) {
    const members = inNuma(cpus, set);
    if (members.length >= count) least = Math.min(least, numaCount(set));
    if (without(reusable, members).length > 0) continue;
    if (common(union(free, reusable), members).length >= count) found.push(set);
  }
  return found.map((set) => ({ nodes: set, preferred: numaCount(set) === least }));
}

/** Which CPUs a container gets: near to `affinity` first. Throws where there are not enough. */
export function chooseCpus(
  cpus: readonly CpuPlace[],
  wanted: {
    readonly count: number;
    readonly free: CpuSet;
    readonly affinity: NumaSet | undefined;
    readonly wholeCores: boolean;
  },
): CpuSet {
  const { count, free, affinity } = wanted;
  if (wanted.wholeCores) checkAlignment(cpus, count, free);
  const take = (from: CpuSet, some: number): CpuSet => {
    const taken = takeCpus(cpus, from, some);
    if (taken === undefined)
      throw new Error(`not enough cpus available to satisfy request: requested=${some}, available=${from.length}`);
    return taken;
  };
  const near = affinity === undefined ? [] : common(free, inNuma(cpus, affinity));
  const first = take(near, Math.min(count, near.length));
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
