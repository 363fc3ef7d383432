import { isJsonObject, type JsonObject } from "@skiff/base";
import { readStateFile, StateFileError, writeStateFile } from "../grants/state-file.ts";
import { type NumaSet, numaNodes, numaSet } from "../topology/numa.ts";

/** Memory of one sort that a container has of some NUMA nodes. */
export interface MemoryBlock {
  readonly podUid: string;
  readonly container: string;
  /** `memory`, or huge pages by their size: `hugepages-2Mi`. */
  readonly type: string;
  readonly nodes: NumaSet;
  readonly bytes: number;
}

const policyName = "Static";

/** Writes the state in the form of `memory_manager_state`. */
export async function writeMemoryState(path: string, blocks: readonly MemoryBlock[]): Promise<void> {
  const entries: Record<string, Record<string, JsonObject[]>> = {};
  for (const { podUid, container, type, nodes, bytes } of blocks) {
    const pod = entries[podUid] ?? {};
    entries[podUid] = pod;
    pod[container] = [...(pod[container] ?? []), { numaAffinity: numaNodes(nodes), type, size: bytes }];
  }
  await writeStateFile(path, { policyName, entries });
}

/** Throws `StateFileError` where the file is not as it was written, or is that of another policy. */
export async function readMemoryState(path: string): Promise<readonly MemoryBlock[]> {
  const state = await readStateFile(path);
  if (state === undefined) return [];
  if (state.policyName !== policyName)
    throw new StateFileError(
      `[memorymanager] configured policy "${policyName}" differs from state checkpoint policy "${state.policyName}"`,
    );
  return members(state.entries).flatMap(([podUid, pod]) =>
    members(pod).flatMap(([container, blocks]) =>
      (Array.isArray(blocks) ? blocks : []).filter(isJsonObject).map((block) => ({
        podUid,
        container,
        type: String(block.type),
        nodes: numaSet(Array.isArray(block.numaAffinity) ? block.numaAffinity.map(Number) : []),
        bytes: Number(block.size),
      })),
    ),
  );
}

const members = (value: unknown): readonly [string, unknown][] => Object.entries(isJsonObject(value) ? value : {});
