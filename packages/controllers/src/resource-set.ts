import { CustomResourceDefinitions, type ResourceDefinition, servedResources } from "@skiff/api";
import type { Informers } from "@skiff/client";
import { customResources } from "./custom-resources.ts";

/** The resources that are served: what a namespace may hold, what may own and be owned. Grows and shrinks with custom ones. */
export interface ResourceSet {
  all(): readonly ResourceDefinition[];
  /** Resolves once custom resources are known as well. */
  whenKnown(signal: AbortSignal): Promise<void>;
  onChange(listener: () => void): Disposable;
}

/** Stored resources that can be listed and deleted: views of others would show the same objects twice. */
const builtIn: readonly ResourceDefinition[] = servedResources().filter(
  ({ storedAs, actions }) => storedAs === undefined && actions.includes("list") && actions.includes("delete"),
);

/** Built-in resources, and whatever CustomResourceDefinitions add. */
export function servedResourceSet(informers: Informers): ResourceSet {
  const definitions = informers.for(CustomResourceDefinitions);
  return {
    all: () => [...builtIn, ...definitions.list().flatMap(customResources)],
    whenKnown: (signal) => definitions.whenSynced(signal),
    onChange: (listener) => definitions.onChange(() => listener()),
  };
}
