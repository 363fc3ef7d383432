import { optionals } from "./optionals.ts";
import { type FunctionTable, functionTable } from "./overload.ts";
import { arithmetic } from "./standard/arithmetic.ts";
import { comparisons } from "./standard/compare.ts";
import { conversions } from "./standard/conversions.ts";
import { core } from "./standard/core.ts";
import { timeParts } from "./standard/time-parts.ts";

/** Every function that Kubernetes' expressions can call. */
export const kubernetesFunctions: FunctionTable = functionTable(
  core,
  arithmetic,
  comparisons,
  conversions,
  timeParts,
  optionals,
);
