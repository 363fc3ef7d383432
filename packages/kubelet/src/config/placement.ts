import { asMillis, asUnits } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type CpuSet, cpuSetText, parseCpuSet } from "../topology/cpu-set.ts";
import { type TopologyPolicy, topologyPolicies } from "../topology/policy.ts";
import { cpuOptionsProblem, topologyOptionsProblem } from "./policy-options.ts";

type Texts = Readonly<Record<string, string>>;

/** How CPUs and memory are given to containers. */
export interface Placement {
  readonly cpuManagerPolicy: "none" | "static";
  readonly cpuManagerPolicyOptions: Texts;
  /** CPUs that are kept for the system; empty: as many as are reserved by amount. */
  readonly reservedSystemCpus: CpuSet;
  readonly memoryManagerPolicy: "None" | "Static";
  readonly reservedMemory: readonly { readonly numaNode: number; readonly limits: Texts }[];
  readonly topologyManagerPolicy: TopologyPolicy;
  readonly topologyManagerScope: "container" | "pod";
  readonly topologyManagerPolicyOptions: Texts;
}

/** Nothing is given to one container alone. */
export const defaultPlacement: Placement = {
  cpuManagerPolicy: "none",
  cpuManagerPolicyOptions: {},
  reservedSystemCpus: [],
  memoryManagerPolicy: "None",
  reservedMemory: [],
  topologyManagerPolicy: "none",
  topologyManagerScope: "container",
  topologyManagerPolicyOptions: {},
};

type Fail = (field: string, what: string) => never;

/** Reads the part of a configuration that speaks of it, as its feature gates let it. `fail` throws. */
export function readPlacement(object: JsonObject, gates: Readonly<Record<string, boolean>>, fail: Fail): Placement {
  const one = <T extends string>(field: string, allowed: readonly T[], fallback: T): T => {
    const value = object[field];
    if (value === undefined || value === null || value === "") return fallback;
    return allowed.find((each) => each === value) ?? fail(field, `must be one of ${allowed.join(", ")}`);
  };
  const texts = (field: string, value: JsonValue | undefined): Texts => {
    if (value === undefined || value === null) return {};
    if (!isJsonObject(value)) return fail(field, "must be an object");
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, String(each)]));
  };
  const options = (field: string, problemOf: (found: Texts) => string | undefined): Texts => {
    const found = texts(field, object[field]);
    const problem = problemOf(found);
    return problem === undefined ? found : fail(field, problem);
  };
  const reservedMemory = Array.isArray(object.reservedMemory) ? object.reservedMemory.filter(isJsonObject) : [];
  return {
    cpuManagerPolicy: one("cpuManagerPolicy", ["none", "static"], "none"),
    cpuManagerPolicyOptions: options("cpuManagerPolicyOptions", (found) => cpuOptionsProblem(found, gates)),
    reservedSystemCpus: parseCpuSet(typeof object.reservedSystemCPUs === "string" ? object.reservedSystemCPUs : ""),
    memoryManagerPolicy: one("memoryManagerPolicy", ["None", "Static"], "None"),
    reservedMemory: reservedMemory.map(({ numaNode, limits }) => ({
      numaNode: Number(numaNode ?? 0),
      limits: texts("reservedMemory.limits", limits),
    })),
    topologyManagerPolicy: one("topologyManagerPolicy", topologyPolicies, "none"),
    topologyManagerScope: one("topologyManagerScope", ["container", "pod"], "container"),
    topologyManagerPolicyOptions: options("topologyManagerPolicyOptions", topologyOptionsProblem),
  };
}

/** What is kept for the system of CPUs: those that are named, or so many whole ones as are reserved by amount. */
export function reservedCpus(placement: Placement, reserved: readonly Texts[]): CpuSet | number {
  if (placement.reservedSystemCpus.length > 0) return placement.reservedSystemCpus;
  return Math.ceil(reserved.reduce((sum, one) => sum + asMillis(one.cpu ?? "0"), 0) / 1000);
}

/** What is kept for the system of each NUMA node, by sort of memory. */
export const reservedMemoryOf = ({
  reservedMemory,
}: Placement): ReadonlyMap<number, Readonly<Record<string, number>>> =>
  new Map(
    reservedMemory.map(({ numaNode, limits }) => [
      numaNode,
      Object.fromEntries(Object.entries(limits).map(([type, amount]) => [type, asUnits(amount)])),
    ]),
  );

/** As the file would have it. */
export const placementJson = (placement: Placement): object => ({
  cpuManagerPolicy: placement.cpuManagerPolicy,
  ...(Object.keys(placement.cpuManagerPolicyOptions).length === 0
    ? {}
    : { cpuManagerPolicyOptions: placement.cpuManagerPolicyOptions }),
  cpuManagerReconcilePeriod: "10s",
  ...(placement.reservedSystemCpus.length === 0
    ? {}
    : { reservedSystemCPUs: cpuSetText(placement.reservedSystemCpus) }),
  memoryManagerPolicy: placement.memoryManagerPolicy,
  ...(placement.reservedMemory.length === 0 ? {} : { reservedMemory: placement.reservedMemory }),
  topologyManagerPolicy: placement.topologyManagerPolicy,
  topologyManagerScope: placement.topologyManagerScope,
  ...(Object.keys(placement.topologyManagerPolicyOptions).length === 0
    ? {}
    : { topologyManagerPolicyOptions: placement.topologyManagerPolicyOptions }),
});
