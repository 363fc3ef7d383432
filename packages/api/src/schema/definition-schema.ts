import type { StructSchema } from "./schema.ts";

/** The schema of a built-in definition by short name (`core.v1.Pod`), or `undefined` when there is none. */
export function findDefinitionSchema(_definition: string): StructSchema | undefined {
  throw new Error("not yet");
}

/** The schema of a built-in definition by short name. Asserts that it exists. */
export function definitionSchema(_definition: string): StructSchema {
  throw new Error("not yet");
}
