/** Options of the policies for CPUs and topology: names with values of text, some of them only where a feature gate lets them. */
import type { CpuRules } from "../cpus/cpu-rules.ts";
import type { TopologyPolicy } from "../topology/policy.ts";

type Texts = Readonly<Record<string, string>>;
type Gates = Readonly<Record<string, boolean>>;

const cpuOptions: Readonly<
  Record<string, { readonly rule: keyof CpuRules; readonly level: "stable" | "Beta" | "Alpha" }>
> = {
  "full-pcpus-only": { rule: "wholeCores", level: "stable" },
  "strict-cpu-reservation": { rule: "strictReservation", level: "stable" },
  "distribute-cpus-across-numa": { rule: "acrossNuma", level: "Beta" },
  "prefer-align-cpus-by-uncorecache": { rule: "byCache", level: "Beta" },
  "align-by-socket": { rule: "bySocket", level: "Alpha" },
  "distribute-cpus-across-cores": { rule: "acrossCores", level: "Alpha" },
};

/** Those that cannot be had both. */
const contradictions = [
  ["full-pcpus-only", "distribute-cpus-across-cores"],
  ["distribute-cpus-across-numa", "distribute-cpus-across-cores"],
  ["prefer-align-cpus-by-uncorecache", "distribute-cpus-across-cores"],
  ["prefer-align-cpus-by-uncorecache", "distribute-cpus-across-numa"],
] as const;

/** So many NUMA nodes are looked at, unless an option says that there may be more. */
const usualNumaNodes = 8;

const truths = ["1", "t", "T", "TRUE", "true", "True"];
const untruths = ["0", "f", "F", "FALSE", "false", "False"];
const isOn = (options: Texts, name: string): boolean => truths.includes(options[name] ?? "");

const wrongTruth = (options: Texts, name: string): string | undefined => {
  const value = options[name] ?? "";
  if ([...truths, ...untruths].includes(value)) return undefined;
  return `bad value for option "${name}": strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`;
};

/** What is wrong with options of `cpuManagerPolicyOptions`. */
export function cpuOptionsProblem(options: Texts, gates: Gates): string | undefined {
  for (const name of Object.keys(options)) {
    const known = cpuOptions[name];
    if (known === undefined) return `unknown CPU Manager Policy option: "${name}"`;
    const { level } = known;
    if (level !== "stable" && (gates[`CPUManagerPolicy${level}Options`] ?? level === "Beta") === false)
      return `CPU Manager Policy ${level}-level Options not enabled, but option "${name}" provided`;
    const problem = wrongTruth(options, name);
    if (problem !== undefined) return problem;
  }
  for (const [one, other] of contradictions)
    if (isOn(options, one) && isOn(options, other))
      return `static policy options ${one} and ${other} can not be used at the same time`;
  return undefined;
}

/** What is wrong with options of `topologyManagerPolicyOptions`. */
export function topologyOptionsProblem(options: Texts): string | undefined {
  for (const [name, value] of Object.entries(options)) {
    if (name === "prefer-closest-numa-nodes") {
      const problem = wrongTruth(options, name);
      if (problem !== undefined) return problem;
    } else if (name !== "max-allowable-numa-nodes") return `unknown Topology Manager Policy option: "${name}"`;
    else if (!/^[+-]?\d+$/.test(value))
      return `bad value for option "${name}": strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`;
    else if (Number(value) < usualNumaNodes)
      return `the minimum value of "${name}" should not be less than ${usualNumaNodes}`;
  }
  return undefined;
}

/** How whole CPUs are given out. */
export const cpuRulesOf = (options: Texts): CpuRules => {
  const on = (rule: keyof CpuRules) =>
    Object.entries(cpuOptions).some(([name, known]) => known.rule === rule && isOn(options, name));
  return {
    wholeCores: on("wholeCores"),
    strictReservation: on("strictReservation"),
    acrossNuma: on("acrossNuma"),
    acrossCores: on("acrossCores"),
    bySocket: on("bySocket"),
    byCache: on("byCache"),
  };
};

/** Of places as wide, the one whose nodes are near to each other. */
export const prefersClosest = (options: Texts): boolean => isOn(options, "prefer-closest-numa-nodes");

/** What is asked for that this machine cannot do. */
export function machineProblem(
  asked: { readonly policy: TopologyPolicy; readonly topologyOptions: Texts; readonly rules: CpuRules | undefined },
  machine: { readonly numaNodes: number; readonly sockets: number },
): string | undefined {
  const { policy, topologyOptions, rules } = asked;
  const most = Number(topologyOptions["max-allowable-numa-nodes"] ?? usualNumaNodes);
  if (policy !== "none" && machine.numaNodes > most) return `unsupported on machines with more than ${most} NUMA Nodes`;
  if (rules?.bySocket !== true) return undefined;
  if (policy === "single-numa-node")
    return "Topolgy manager single-numa-node policy is incompatible with CPUManager align-by-socket policy option";
  return machine.sockets > machine.numaNodes
    ? "Align by socket is not compatible with hardware where number of sockets are more than number of NUMA"
    : undefined;
}
