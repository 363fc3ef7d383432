import {
  type CustomResource,
  type CustomResourceDefinition,
  customResource,
  refusals,
  type VersionConverter,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { StorageTable } from "../storage/storage-table.ts";
import { holds } from "./conditions.ts";
import { type ConversionOptions, conversionWebhook } from "./conversion-webhook.ts";
import { ruleHooks } from "./rules/rule-hooks.ts";

interface Served {
  readonly definition: CustomResourceDefinition;
  readonly resource: CustomResource;
}

/** Keeps the table of what is served in step with CustomResourceDefinitions. */
export class ServedDefinitions {
  readonly #table: StorageTable;
  readonly #conversion: ConversionOptions;
  readonly #served = new Map<string, Served>();

  constructor(table: StorageTable, conversion: ConversionOptions) {
    this.#table = table;
    this.#conversion = conversion;
  }

  /** Serves what a definition says now, or nothing where it is gone or not established. */
  follow(name: string, definition: CustomResourceDefinition | undefined): void {
    if (definition === undefined || !holds(definition, "Established")) {
      this.#withdraw(name, []);
      this.#served.delete(name);
      return;
    }
    const before = this.#served.get(name);
    if (before !== undefined && servesAlike(before.definition, definition)) {
      if (holds(definition, "Terminating")) this.#close(before);
      return;
    }
    // What is built in stays what it is, and its objects are nobody else's.
    if (overlapsBuiltIn(this.#table, definition)) return;
    const resource = customResource(definition, converterOf(definition, this.#conversion));
    this.#withdraw(
      name,
      resource.served.map(({ version }) => version),
    );
    for (const version of resource.served) this.#serve(version);
    const served = { definition, resource };
    this.#served.set(name, served);
    if (holds(definition, "Terminating")) this.#close(served);
  }

  /** What is about to be removed takes nothing new; its watches go on, to tell of the removals. */
  #close({ resource: { served } }: Served): void {
    for (const resource of served) {
      const storage = this.#table.find(resource);
      if (storage?.resource === resource) storage.hooks = { ...storage.hooks, refuseCreation };
    }
  }

  #serve(resource: CustomResource["stored"]): void {
    const { custom } = resource;
    const storage = this.#table.add(resource);
    if (custom !== undefined) storage.hooks = ruleHooks(custom);
  }

  #withdraw(name: string, kept: readonly string[]): void {
    for (const resource of this.#served.get(name)?.resource.served ?? []) {
      if (!kept.includes(resource.version) && this.#table.find(resource)?.resource === resource) {
        this.#table.remove(resource);
      }
    }
  }
}

/** True where objects of a built-in resource are stored in the same place. */
export const overlapsBuiltIn = (table: StorageTable, { spec }: CustomResourceDefinition): boolean =>
  table.all().some(({ resource }) => {
    const { group, plural } = resource.storedAs ?? resource;
    return resource.custom === undefined && group === spec.group && plural === spec.names.plural;
  });

/** Who makes versions of each other; `undefined` where they differ by their name only. */
export function converterOf(
  { spec: { conversion } }: CustomResourceDefinition,
  options: ConversionOptions,
): VersionConverter | undefined {
  if (conversion?.strategy !== "Webhook" || conversion.webhook === undefined) return undefined;
  return conversionWebhook(conversion.webhook, options);
}

function refuseCreation(): never {
  throw refusals.notAllowedNow("create not allowed while custom resource definition is terminating");
}

/** True where two states of a definition make the same resources. */
const servesAlike = (a: CustomResourceDefinition, b: CustomResourceDefinition): boolean =>
  a.metadata.uid === b.metadata.uid &&
  jsonEqual(a.spec, b.spec) &&
  jsonEqual(a.status?.acceptedNames, b.status?.acceptedNames);
