import { compile } from "../compile.ts";
import { type CelType, types } from "../types/cel-type.ts";
import type { CompiledExpression } from "./compiled-expression.ts";

const quantity: CelType = { kind: "opaque", name: "kubernetes.Quantity" };
const byDomain = (value: CelType): CelType => types.map(types.string, types.map(types.string, value));

/**
 * A device as selectors of `resource.k8s.io` see it: attributes and capacities by domain and name.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
const deviceType = types.object("kubernetes.DRADevice", {
  driver: types.string,
  attributes: byDomain(types.dyn),
  capacity: byDomain(quantity),
  allowMultipleAllocations: types.bool,
});

/** Compiles the expression of a device selector, which has to be a bool, or an attribute that may be one. */
export function compileDeviceSelector(source: string): CompiledExpression {
  const variables = { device: deviceType };
  const compiled = compile(source, { variables, resultTypes: [types.bool] });
  if (compiled.kind === "failed" && compiled.cause === "result") {
    const open = compile(source, { variables });
    if (open.kind === "compiled" && open.program.type.kind === "dyn")
      return { kind: "program", source, program: open.program };
  }
  if (compiled.kind === "compiled") return { kind: "program", source, program: compiled.program };
  const { cause, message } = compiled;
  return { kind: "invalid", source, message: cause === "syntax" ? `compilation failed: ${message}` : message };
}
