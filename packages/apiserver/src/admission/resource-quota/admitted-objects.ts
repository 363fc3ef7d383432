import type { KubeObject, ObjectRef, ResourceDefinition } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { AdmissionRequest, ResourceTable } from "../../contracts.ts";

interface Admitted {
  readonly resource: ResourceDefinition;
  /** Its metadata may still get another name, where the server makes one. */
  readonly object: KubeObject;
  /** False where it replaces one that is stored. */
  readonly isNew: boolean;
  /** Its version before it is stored. */
  readonly version: string | undefined;
  readonly atMs: number;
}

/** Whatever is not stored by then never will be. */
const patienceMs = 10_000;

/**
 * Objects of a namespace as they are once all that was admitted is stored: between admission and storage, quotas would
 * otherwise not know of them.
 */
export class AdmittedObjects {
  readonly #table: ResourceTable;
  readonly #clock: Clock;
  readonly #byNamespace = new Map<string, Admitted[]>();

  constructor(table: ResourceTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /** A request was admitted whose object will be stored now. */
  add({ resource, oldObject }: AdmissionRequest, object: KubeObject): void {
    const namespace = object.metadata.namespace ?? "";
    const admitted = this.#byNamespace.get(namespace) ?? [];
    const version = object.metadata.resourceVersion;
    admitted.push({ resource, object, isNew: oldObject === undefined, version, atMs: this.#clock.monotonic() });
    this.#byNamespace.set(namespace, admitted);
  }

  /** Those that are stored and those that will be. */
  all(resource: ResourceDefinition, namespace: string): readonly KubeObject[] {
    const storage = this.#table.find(resource);
    const stored = storage?.peekAll(namespace) ?? [];
    const waiting = this.#waiting(namespace).filter(
      (admitted) => admitted.resource.group === resource.group && admitted.resource.plural === resource.plural,
    );
    if (waiting.length === 0) return stored;
    const replaced = new Set(waiting.map(({ object }) => object.metadata.name));
    return [...stored.filter(({ metadata }) => !replaced.has(metadata.name)), ...waiting.map(({ object }) => object)];
  }

  #waiting(namespace: string): readonly Admitted[] {
    const admitted = this.#byNamespace.get(namespace);
    if (admitted === undefined) return [];
    const left = admitted.filter((one) => !this.#isSettled(one, namespace));
    if (left.length === 0) this.#byNamespace.delete(namespace);
    else this.#byNamespace.set(namespace, left);
    return left;
  }

  /** True once it was stored (it may be gone again), or something else was in its place. */
  #isSettled({ resource, object, isNew, version, atMs }: Admitted, namespace: string): boolean {
    // The object gets its version from the store.
    if (object.metadata.resourceVersion !== version) return true;
    if (this.#clock.monotonic() - atMs > patienceMs) return true;
    const ref: ObjectRef = { namespace, name: object.metadata.name };
    const stored = this.#table.find(resource)?.peek(ref);
    return isNew ? stored !== undefined : stored?.metadata.resourceVersion !== version;
  }
}
