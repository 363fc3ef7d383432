import type { PodTemplateSpec } from "../generated/types/core-v1.ts";
import type { KubeObject } from "../object.ts";
import { nameWarnings, templateWarnings } from "./core-v1/pod-warnings.ts";

/**
 * What to say of a kind that makes pods from a template: of its name when it is new, of the template when its spec changes.
 * `named` is false for kinds whose names are labels anyway.
 */
export const workloadWarnings =
  <T extends KubeObject>(
    field: string,
    template: (object: T) => PodTemplateSpec | undefined,
    { named = true }: { readonly named?: boolean } = {},
  ) =>
  (object: T, old?: T): readonly string[] => {
    const pods = template(object);
    const isNew = old === undefined || old.metadata.generation !== object.metadata.generation;
    return [
      ...(named && old === undefined ? nameWarnings("Pod names and hostnames", object.metadata.name) : []),
      ...(isNew && pods !== undefined ? templateWarnings(field, pods) : []),
    ];
  };
