/** A compiled JSONPath expression of the subset that table columns and selectable fields use. */
export interface JsonPath {
  readonly text: string;
  /** All values that the path leads to, in order; none where it leads nowhere. */
  find(root: unknown): readonly unknown[];
}
/** Compiles `.spec.containers[*].image`, `.status.conditions[?(@.type=="Ready")].status` and the like. Throws `Error` for others. */
export function parseJsonPath(_text: string): JsonPath {
  throw new Error("not yet");
}
