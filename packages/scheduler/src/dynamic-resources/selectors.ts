import type { DeviceSelector } from "@skiff/api";
import type * as cel from "@skiff/cel";
import type { PooledDevice } from "./pools.ts";

/** A selector cannot be evaluated; the message says whose it is. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
  readonly code = "SELECTOR_FAILED";
}

/** Whether all selectors take a device. `owner` is named in errors (`SelectorError`). */
export type SelectorMatch = (device: PooledDevice, selectors: readonly DeviceSelector[], owner: string) => boolean;

/** What selectors are evaluated with. It is loaded when the first pod asks for devices. */
export type SelectorEngine = Pick<typeof cel, "compileDeviceSelector" | "deviceValue">;

const mostKept = 1000;

/** Evaluates selectors, each of which is compiled once. */
export function selectorMatch({ compileDeviceSelector, deviceValue }: SelectorEngine): SelectorMatch {
  const programs = new Map<string, cel.CompiledExpression>();
  const values = new WeakMap<object, cel.CelValue>();
  const programOf = (source: string): cel.CompiledExpression => {
    const known = programs.get(source);
    if (known !== undefined) return known;
    if (programs.size >= mostKept) programs.clear();
    const compiled = compileDeviceSelector(source);
    programs.set(source, compiled);
    return compiled;
  };
  const celValueOf = ({ device, driver }: PooledDevice): cel.CelValue => {
    const known = values.get(device) ?? deviceValue({ ...device, driver });
    values.set(device, known);
    return known;
  };
  return (device, selectors, owner) =>
    selectors.every(({ cel: selector }, index) => {
      const compiled = programOf(selector?.expression ?? "");
      const who = `${owner}: selector #${index}`;
      if (compiled.kind === "invalid") throw new SelectorError(`${who}: CEL compile error: ${compiled.message}`);
      const said = compiled.program.evaluate({ device: celValueOf(device) });
      if (said.kind !== "value") throw new SelectorError(`${who}: CEL runtime error: ${said.message}`);
      return said.value === true;
    });
}
