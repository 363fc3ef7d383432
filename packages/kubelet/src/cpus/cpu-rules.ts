import type { CpuSet } from "../topology/cpu-set.ts";
import type { CpuPlace } from "../topology/machine-topology.ts";
import { distributeCpus } from "./distribute-cpus.ts";
import { cpusPerCore, takeCpus } from "./take-cpus.ts";

/** How whole CPUs are given out: Kubernetes' options of the static policy. */
export interface CpuRules {
  /** `full-pcpus-only`: whole cores alone are given out. */
  readonly wholeCores: boolean;
  /** `strict-cpu-reservation`: reserved CPUs are not shared either. */
  readonly strictReservation: boolean;
  /** `distribute-cpus-across-numa`: as many of each NUMA node, where one has not enough. */
  readonly acrossNuma: boolean;
  /** `distribute-cpus-across-cores`: threads of different cores, as far as there are some. */
  readonly acrossCores: boolean;
  /** `align-by-socket`: what is on one socket is near enough together. */
  readonly bySocket: boolean;
  /** `prefer-align-cpus-by-uncorecache`: of as few last caches as can be. */
  readonly byCache: boolean;
}

/** None of the options. */
export const plainRules: CpuRules = {
  wholeCores: false,
  strictReservation: false,
  acrossNuma: false,
  acrossCores: false,
  bySocket: false,
  byCache: false,
};

/** So many of the free CPUs, as the rules will have it; `undefined`: there are not so many. */
export function takeByRules(
  cpus: readonly CpuPlace[],
  free: CpuSet,
  { count, rules }: { readonly count: number; readonly rules: CpuRules },
): CpuSet | undefined {
  if (!rules.acrossNuma) return takeCpus(cpus, free, count, rules);
  return distributeCpus(cpus, free, { count, group: rules.wholeCores ? cpusPerCore(cpus) : 1 });
}
