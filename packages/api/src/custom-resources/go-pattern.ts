import { RE2JS } from "re2js";

/** A regular expression in Go's syntax. It takes linear time, whatever a definition's author wrote. */
export interface GoPattern {
  /** True where the text has a match anywhere. */
  test(text: string): boolean;
}

/** Compiles an expression, or tells in Go's words why it is none. */
export function goPattern(
  text: string,
): { readonly kind: "pattern"; readonly pattern: GoPattern } | { readonly kind: "failed"; readonly message: string } {
  try {
    const compiled = RE2JS.compile(text);
    return { kind: "pattern", pattern: { test: (value) => compiled.matcher(value).find() } };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}
