import { type SelectorMatch, selectorMatch } from "./selectors.ts";

let matches: SelectorMatch | undefined;
let loading: Promise<void> | undefined;

/** Loads what selectors of devices are evaluated with: when the first pod asks for devices. `undefined`: it is there. */
export function loadSelectors(): Promise<void> | undefined {
  if (matches !== undefined) return undefined;
  loading ??= import("@skiff/cel").then((engine) => {
    matches = selectorMatch(engine);
  });
  return loading;
}

/** `undefined` as long as it is not loaded. */
export const loadedSelectors = (): SelectorMatch | undefined => matches;
