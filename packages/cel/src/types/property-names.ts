import { reservedWords } from "../syntax/token.ts";

const specials: readonly (readonly [string, string])[] = [
  ["__", "__underscores__"],
  [".", "__dot__"],
  ["-", "__dash__"],
  ["/", "__slash__"],
];

/**
 * The name that a property has in expressions, as Kubernetes escapes it; `undefined` for names that no expression can say.
 *
 * @example
 * escapedName("namespace"); // "__namespace__"
 * escapedName("x-prop");    // "x__dash__prop"
 */
export function escapedName(property: string): string | undefined {
  if (!/^[A-Za-z0-9_./-]+$/.test(property) || /^\d/.test(property)) return undefined;
  if (reservedWords.has(property)) return `__${property}__`;
  return property.replace(/__|[./-]/g, (found) => specials.find(([from]) => from === found)?.[1] ?? found);
}
