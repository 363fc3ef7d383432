import { isJsonObject, jsonEqual } from "@skiff/base";

/**
 * What changed, as lines for the one who is refused: removed lines begin with `-`, added ones with `+`, and objects of which
 * only a part changed are opened.
 */
export const specDifference = (kind: string, old: unknown, updated: unknown): string =>
  [`  ${kind}{`, ...lines(old, updated, "\t"), "  }", ""].join("\n");

function lines(old: unknown, updated: unknown, indent: string): string[] {
  const before = membersOf(old);
  const after = membersOf(updated);
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  const changed = keys.filter((key) => !jsonEqual(before.get(key), after.get(key)));
  const same = keys.length - changed.length;
  return [
    ...(same > 0 ? [`  ${indent}... // ${same} identical fields`] : []),
    ...changed.flatMap((key) => memberLines({ key, indent, old: before.get(key), updated: after.get(key) })),
  ];
}

function memberLines(of: {
  readonly key: string;
  readonly indent: string;
  readonly old: unknown;
  readonly updated: unknown;
}): string[] {
  const { key, indent, old, updated } = of;
  if (isOpen(old) && isOpen(updated)) {
    return [`  ${indent}${key}: {`, ...lines(old, updated, `${indent}\t`), `  ${indent}},`];
  }
  return [
    ...(old === undefined ? [] : [`- ${indent}${key}: ${JSON.stringify(old)},`]),
    ...(updated === undefined ? [] : [`+ ${indent}${key}: ${JSON.stringify(updated)},`]),
  ];
}

const isOpen = (value: unknown): boolean => Array.isArray(value) || isJsonObject(value);

const membersOf = (value: unknown): ReadonlyMap<string, unknown> =>
  new Map(
    typeof value === "object" && value !== null
      ? Object.entries(value).filter(([, member]) => member !== undefined)
      : [],
  );
