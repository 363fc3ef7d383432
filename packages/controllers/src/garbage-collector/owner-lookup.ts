import { isNotFound, type OwnerReference } from "@skiff/api";
import type { LoopContext } from "@skiff/control-loop";
import type { ResourceSet } from "../resource-set.ts";
import type { Entry, OwnerGraph } from "./owner-graph.ts";
import { type OwnerState, waitsForDependents } from "./plan.ts";

const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "");

/** So many owners that went are remembered, as in Kubernetes. */
const goneLimit = 500;

/** Finds out what is left of the owners that objects name. */
export class OwnerLookup {
  readonly #context: Pick<LoopContext, "client" | "recorder">;
  readonly #resources: ResourceSet;
  readonly #graph: OwnerGraph;
  /** References that were told of already, by the uids of dependent and owner. */
  readonly #told = new Set<string>();
  /** Uids of owners that the caches saw go: no uid comes again. Those that went last. */
  readonly #gone = new Set<string>();

  constructor(context: Pick<LoopContext, "client" | "recorder">, resources: ResourceSet, graph: OwnerGraph) {
    this.#context = context;
    this.#resources = resources;
    this.#graph = graph;
  }

  /** The owner, where the caches know it and the reference may mean it: one in another namespace is none. */
  known(reference: OwnerReference, dependent: Entry): Entry | undefined {
    const found = this.#graph.get(reference.uid);
    if (found === undefined) return undefined;
    const { namespace } = found.object.metadata;
    return namespace === undefined || namespace === dependent.object.metadata.namespace ? found : undefined;
  }

  /** An object that somebody owns something with has gone. */
  wentAway(uid: string): void {
    this.#gone.add(uid);
    const [oldest] = this.#gone;
    if (this.#gone.size > goneLimit && oldest !== undefined) this.#gone.delete(oldest);
  }

  /** Owners that the caches neither know nor saw go are asked for: deleting by a stale cache would be for ever. */
  async stateOf(reference: OwnerReference, dependent: Entry, signal: AbortSignal): Promise<OwnerState> {
    const known = this.known(reference, dependent);
    if (known !== undefined) return waitsForDependents(known.object) ? "waiting" : "solid";
    if (this.#graph.get(reference.uid) !== undefined) this.#tell(reference, dependent);
    const resource = this.#resources
      .all()
      .find(({ kind, group }) => kind === reference.kind && group === groupOf(reference.apiVersion));
    if (resource === undefined) throw new Error(`nobody serves ${reference.apiVersion} ${reference.kind}`);
    const { namespace } = dependent.object.metadata;
    // An object without a namespace cannot be owned by one with: such a reference says nothing.
    if (resource.scope === "namespaced" && namespace === undefined) return "solid";
    if (this.#gone.has(reference.uid)) return "absent";
    try {
      const owner = await this.#context.client.get(resource, { namespace, name: reference.name }, { signal });
      if (owner.metadata.uid !== reference.uid) return "absent";
      return waitsForDependents(owner) ? "waiting" : "solid";
    } catch (error) {
      if (isNotFound(error)) return "absent";
      throw error;
    }
  }

  #tell({ apiVersion, kind, name, uid }: OwnerReference, { resource, object }: Entry): void {
    const { namespace = "" } = object.metadata;
    const key = `${object.metadata.uid} ${uid}`;
    if (this.#told.has(key)) return;
    if (this.#told.size >= 10_000) this.#told.clear();
    this.#told.add(key);
    const owner = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
    this.#context.recorder.record(resource, object, {
      type: "Warning",
      reason: "OwnerRefInvalidNamespace",
      message: `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`,
    });
  }
}
