import type { StandardParts, StandardPartsOptions } from "./standard-parts-options.ts";

export type { PathRoute, StandardParts, StandardPartsOptions } from "./standard-parts-options.ts";

/** The parts that every Skiff API server has. */
export function standardParts(_options: StandardPartsOptions): StandardParts {
  throw new Error("not yet");
}
