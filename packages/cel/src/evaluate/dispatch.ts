import { accepts, type Overload } from "../library/overload.ts";
import type { CelValue } from "../values/cel-value.ts";
import { isObject } from "../values/cel-value.ts";
import { mapOfObject } from "../values/equality.ts";

/** The form of a function that values are for. */
export function dispatch(overloads: readonly Overload[], values: CelValue[]): Overload | undefined {
  for (const overload of overloads) if (accepts(overload, values)) return overload;
  // An object whose type was not declared is used as a map.
  const index = values.findIndex(isObject);
  const object = values[index];
  if (!isObject(object)) return undefined;
  values[index] = mapOfObject(object);
  return dispatch(overloads, values);
}
