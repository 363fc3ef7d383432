import type { Compilation, CompileOptions } from "./program.ts";
import { issuesText } from "./syntax/issue.ts";
import { parse } from "./syntax/parser.ts";

/**
 * Parses and checks an expression. Never throws.
 *
 * @example
 * const compiled = compile("self.replicas <= self.max", { variables: { self: type }, resultTypes: [types.bool] });
 * if (compiled.kind === "failed") throw refused(compiled.message);
 * compiled.program.evaluate({ self: celFromJson(object, type) });
 */
export function compile(source: string, options: CompileOptions): Compilation {
  const parsed = parse(source);
  if (parsed.kind === "failed") {
    return { kind: "failed", cause: "syntax", message: issuesText(source, parsed.issues) };
  }
  return {
    kind: "compiled",
    program: {
      source,
      type: options.resultTypes?.[0] ?? { kind: "dyn" },
      evaluate: () => ({ kind: "failed", message: "expressions are parsed, but not evaluated yet", cost: 0 }),
      estimateCost: () => ({ min: 0, max: Number.POSITIVE_INFINITY }),
    },
  };
}
