import { type MapKey, mapNames } from "./elements.ts";
import type { ElementChange } from "./table-contents.ts";

/** So many elements at most go into one transaction. */
const elementsPerTransaction = 400;

/** What sends connections to endpoints, as against the endpoints themselves. */
const dispatchMaps: ReadonlySet<MapKey> = new Set<MapKey>([
  "services",
  "nodePorts",
  "localServices",
  "localNodePorts",
  "refused",
  "refusedNodePorts",
  "clusterIps",
  "affinities",
  "nodeAffinities",
]);

/**
 * The nft scripts that make the changes, to be applied in order. What fits into one transaction is one: it takes effect all
 * at once. Otherwise new targets come first, then the switch of the Services, then old targets go: at every moment each
 * Service leads somewhere.
 */
export function transactions(table: string, changes: readonly ElementChange[]): readonly string[] {
  const phase = ({ map, after }: ElementChange) => (dispatchMaps.has(map) ? 1 : after === undefined ? 2 : 0);
  const inOrder =
    changes.length <= elementsPerTransaction
      ? changes
      : [0, 1, 2].flatMap((wanted) => changes.filter((change) => phase(change) === wanted));
  const scripts: string[] = [];
  for (let index = 0; index < inOrder.length; index += elementsPerTransaction) {
    scripts.push(script(table, inOrder.slice(index, index + elementsPerTransaction)));
  }
  return scripts;
}

function script(table: string, changes: readonly ElementChange[]): string {
  const lines: string[] = [];
  const element = (verb: "add" | "delete", map: MapKey, list: readonly string[]) => {
    if (list.length > 0) lines.push(`${verb} element ip ${table} ${mapNames[map]} { ${list.join(", ")} }`);
  };
  for (const map of new Set(changes.map((change) => change.map))) {
    const here = changes.filter((change) => change.map === map);
    element(
      "delete",
      map,
      here.filter(({ before }) => before !== undefined).map(({ key }) => key),
    );
    element(
      "add",
      map,
      here.flatMap(({ key, after }) => (after === undefined ? [] : [after === "" ? key : `${key} : ${after}`])),
    );
  }
  return lines.join("\n");
}
