import { isJsonObject, type JsonObject } from "@skiff/base";
import { readStateFile, StateFileError, writeStateFile } from "../grants/state-file.ts";
import { type CpuSet, common, cpuSetText, parseCpuSet, union, without } from "../topology/cpu-set.ts";

/** Who has which CPUs alone, by the pod's uid and the container's name, and which all others share. */
export interface CpuState {
  readonly shared: CpuSet;
  readonly entries: ReadonlyMap<string, ReadonlyMap<string, CpuSet>>;
}

/** CPUs go from the shared ones to a container. */
export function assign(state: CpuState, podUid: string, container: string, cpus: CpuSet): CpuState {
  const pod = new Map(state.entries.get(podUid)).set(container, cpus);
  return { shared: without(state.shared, cpus), entries: new Map(state.entries).set(podUid, pod) };
}

/** CPUs of a pod go back to those that are shared. */
export function release(state: CpuState, podUid: string): CpuState {
  const freed = union(...(state.entries.get(podUid)?.values() ?? []));
  const entries = new Map(state.entries);
  entries.delete(podUid);
  return { shared: union(state.shared, freed), entries };
}

const policyName = "static";

export const writeCpuState = (path: string, { shared, entries }: CpuState): Promise<void> =>
  writeStateFile(path, {
    policyName,
    defaultCpuSet: cpuSetText(shared),
    entries: Object.fromEntries([...entries].map(([uid, pod]) => [uid, textsOf(pod)])),
  });

const textsOf = (pod: ReadonlyMap<string, CpuSet>): JsonObject =>
  Object.fromEntries([...pod].map(([name, cpus]) => [name, cpuSetText(cpus)]));

/**
 * The state as it was written, or `initial` where nothing was. Throws `StateFileError` where it does not go with the machine or
 * the configuration any more: nobody but the administrator knows what may be forgotten.
 */
export async function readCpuState(
  path: string,
  machine: { readonly all: CpuSet; readonly reserved: CpuSet; readonly strict: boolean },
): Promise<CpuState> {
  const { all, reserved, strict } = machine;
  const initial = { shared: strict ? without(all, reserved) : all, entries: new Map() };
  const stored = await readStateFile(path);
  if (stored === undefined) return initial;
  if (stored.policyName !== policyName) {
    throw new StateFileError(
      `configured policy "${policyName}" differs from state checkpoint policy "${stored.policyName}"`,
    );
  }
  const entries = new Map(
    Object.entries(isJsonObject(stored.entries) ? stored.entries : {}).map(([uid, pod]) => [
      uid,
      new Map(Object.entries(isJsonObject(pod) ? pod : {}).map(([name, cpus]) => [name, parseCpuSet(String(cpus))])),
    ]),
  );
  const shared = parseCpuSet(String(stored.defaultCpuSet));
  const state: CpuState = { shared, entries };
  const problem = problemOf(state, machine);
  if (problem !== undefined) throw new StateFileError(`${problem}: drain the node and remove ${path}`);
  return state;
}

function problemOf(
  { shared, entries }: CpuState,
  { all, reserved, strict }: { readonly all: CpuSet; readonly reserved: CpuSet; readonly strict: boolean },
): string | undefined {
  if (strict && common(reserved, shared).length > 0)
    return `some of strictly reserved cpus: "${cpuSetText(reserved)}" are present in defaultCpuSet: "${cpuSetText(shared)}"`;
  if (!strict && without(reserved, shared).length > 0)
    return `not all reserved cpus: "${cpuSetText(reserved)}" are present in defaultCpuSet: "${cpuSetText(shared)}"`;
  for (const [uid, pod] of entries) {
    for (const [name, cpus] of pod)
      if (common(cpus, shared).length > 0)
        return `pod: ${uid}, container: ${name} cpuset: "${cpuSetText(cpus)}" overlaps with default cpuset "${cpuSetText(shared)}"`;
  }
  const known = union(shared, strict ? reserved : [], ...[...entries.values()].flatMap((pod) => [...pod.values()]));
  if (cpuSetText(known) !== cpuSetText(all))
    return `current set of available CPUs "${cpuSetText(all)}" doesn't match with CPUs in state "${cpuSetText(known)}"`;
  return undefined;
}
