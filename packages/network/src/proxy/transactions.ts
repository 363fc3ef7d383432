import type { DesiredElements, Elements } from "./plan.ts";
import { mapNames } from "./rules.ts";

/** So many elements at most go into one transaction. */
const elementsPerTransaction = 400;

interface Change {
  readonly map: string;
  readonly key: string;
  /** Absent: the key was not there; present: it has to be deleted with this value. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

type MapKey = keyof typeof mapNames;

/** Targets first, then what sends connections to them, so that no connection ever finds an empty slot. */
const targetMaps: readonly MapKey[] = ["endpoints", "nodeEndpoints", "hairpin"];
const dispatchMaps: readonly MapKey[] = ["services", "nodePorts", "refused", "refusedNodePorts"];

/**
 * The nft scripts that bring a table from `before` to `after`, to be applied in order. New targets come first, then the
 * switch of the Services, then old targets go: at every moment each Service leads somewhere.
 */
export function transactions(table: string, before: DesiredElements, after: DesiredElements): readonly string[] {
  const changes = (names: readonly MapKey[]) =>
    names.flatMap((name) => changesOf(mapNames[name], before[name], after[name]));
  const targets = changes(targetMaps);
  return [
    ...batches(
      table,
      targets.filter((change) => change.after !== undefined),
    ),
    ...batches(table, changes(dispatchMaps)),
    ...batches(
      table,
      targets.filter((change) => change.after === undefined),
    ),
  ];
}

function changesOf(map: string, before: Elements, after: Elements): readonly Change[] {
  const changes: Change[] = [];
  for (const [key, value] of after) {
    const old = before.get(key);
    if (old !== value) changes.push({ map, key, before: old, after: value });
  }
  for (const [key, value] of before) if (!after.has(key)) changes.push({ map, key, before: value, after: undefined });
  return changes;
}

function batches(table: string, changes: readonly Change[]): readonly string[] {
  const scripts: string[] = [];
  for (let index = 0; index < changes.length; index += elementsPerTransaction) {
    scripts.push(script(table, changes.slice(index, index + elementsPerTransaction)));
  }
  return scripts;
}

function script(table: string, changes: readonly Change[]): string {
  const lines: string[] = [];
  const element = (verb: "add" | "delete", map: string, list: readonly string[]) => {
    if (list.length > 0) lines.push(`${verb} element ip ${table} ${map} { ${list.join(", ")} }`);
  };
  for (const map of new Set(changes.map((change) => change.map))) {
    const here = changes.filter((change) => change.map === map);
    element(
      "delete",
      map,
      here.filter((one) => one.before !== undefined).map((one) => one.key),
    );
    element(
      "add",
      map,
      here.flatMap(({ key, after }) => (after === undefined ? [] : [after === "" ? key : `${key} : ${after}`])),
    );
  }
  return lines.join("\n");
}

/** A table without any elements. */
export const noElements: DesiredElements = {
  services: new Map(),
  nodePorts: new Map(),
  endpoints: new Map(),
  nodeEndpoints: new Map(),
  refused: new Map(),
  refusedNodePorts: new Map(),
  hairpin: new Map(),
};
