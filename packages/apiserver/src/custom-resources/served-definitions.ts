import { type CustomResource, type CustomResourceDefinition, customResource, refusals } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { StorageTable } from "../storage/storage-table.ts";
import { holds } from "./conditions.ts";

interface Served {
  readonly definition: CustomResourceDefinition;
  readonly resource: CustomResource;
}

/** Keeps the table of what is served in step with CustomResourceDefinitions. */
export class ServedDefinitions {
  readonly #table: StorageTable;
  readonly #served = new Map<string, Served>();

  constructor(table: StorageTable) {
    this.#table = table;
  }

  /** Serves what a definition says now, or nothing where it is gone or not established. */
  follow(name: string, definition: CustomResourceDefinition | undefined): void {
    if (definition === undefined || !holds(definition, "Established")) {
      this.#withdraw(name, []);
      this.#served.delete(name);
      return;
    }
    const before = this.#served.get(name);
    if (before !== undefined && servesAlike(before.definition, definition)) return;
    const resource = customResource(definition);
    this.#withdraw(
      name,
      resource.served.map(({ version }) => version),
    );
    for (const version of resource.served) this.#serve(version, holds(definition, "Terminating"));
    this.#served.set(name, { definition, resource });
  }

  #serve(resource: CustomResource["stored"], terminating: boolean): void {
    // What is built in stays what it is.
    const known = this.#table.find(resource);
    if (known !== undefined && known.resource.custom === undefined) return;
    const storage = this.#table.add(resource);
    if (terminating) storage.hooks = { refuseCreation };
  }

  #withdraw(name: string, kept: readonly string[]): void {
    for (const resource of this.#served.get(name)?.resource.served ?? []) {
      if (!kept.includes(resource.version) && this.#table.find(resource)?.resource === resource) {
        this.#table.remove(resource);
      }
    }
  }
}

/** What is about to be removed takes nothing new. */
function refuseCreation(): never {
  throw refusals.notAllowedNow("create not allowed while custom resource definition is terminating");
}

/** True where two states of a definition make the same resources. */
const servesAlike = (a: CustomResourceDefinition, b: CustomResourceDefinition): boolean =>
  a.metadata.uid === b.metadata.uid &&
  holds(a, "Terminating") === holds(b, "Terminating") &&
  jsonEqual(a.spec, b.spec) &&
  jsonEqual(a.status?.acceptedNames, b.status?.acceptedNames);
