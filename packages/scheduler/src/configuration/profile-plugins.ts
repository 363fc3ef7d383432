import type { Pod } from "@skiff/api";
import { type ClusterView, definePlugin, type Plugin, type PreFilterResult, skip } from "../framework.ts";
import type { ExtensionPoint } from "./extension-points.ts";
import type { ResolvedPlugins } from "./plugin-sets.ts";

/**
 * Steps that are decided together: what a plugin filters by it often finds out beforehand, and a score without what was found
 * out for it would be nothing. Each goes by the point that comes last.
 */
const groups: readonly (readonly ExtensionPoint[])[] = [
  ["preEnqueue"],
  ["queueSort"],
  ["filter", "preFilter"],
  ["postFilter"],
  ["score"],
  ["reserve"],
  ["permit"],
  ["preBind"],
  ["bind"],
  ["postBind"],
];

/**
 * The plugins of a profile, each with a say only where it is enabled. Where a point has an order of its own, its plugins stand
 * there once more, with what they do at that point alone.
 */
export function profilePlugins(
  { points, weights, multiPoint }: ResolvedPlugins,
  instances: ReadonlyMap<string, Plugin>,
): readonly Plugin[] {
  const usual = [...new Set([...multiPoint, ...groups.flat().flatMap((point) => points[point])])];
  const enabled = (name: string, point: ExtensionPoint) => points[point].includes(name);
  const main = new Map<string, ExtensionPoint[]>();
  const reordered: (readonly [string, readonly ExtensionPoint[]])[] = [];
  for (const group of groups) {
    const names = [...new Set(group.flatMap((point) => points[point]))];
    const inOrder = isSubsequence(names, usual);
    for (const name of names) {
      const here = group.filter((point) => enabled(name, point));
      if (inOrder) main.set(name, [...(main.get(name) ?? []), ...here]);
      else reordered.push([name, here]);
    }
  }
  const inUsualOrder = usual.map((name) => [name, main.get(name) ?? []] as const);
  return [...reordered, ...inUsualOrder].flatMap(([name, here]) => {
    const plugin = instances.get(name);
    return plugin === undefined || here.length === 0 ? [] : restricted(plugin, new Set(here), weights.get(name));
  });
}

const isSubsequence = (names: readonly string[], all: readonly string[]): boolean => {
  let at = 0;
  for (const name of all) if (name === names[at]) at++;
  return at === names.length;
};

/** A plugin that has a say at some points only. */
function restricted(plugin: Plugin, at: ReadonlySet<ExtensionPoint>, weight: number | undefined): Plugin {
  const { name, retryOn, concerns, watches, preFilter, filter } = plugin;
  const filters = at.has("filter") || at.has("preFilter");
  const { preScore, score, normalize } = plugin;
  return definePlugin({
    name,
    retryOn,
    ...(concerns && { concerns }),
    ...(watches && { watches }),
    ...(plugin.forgetOn && { forgetOn: plugin.forgetOn }),
    ...(plugin.prepare && { prepare: plugin.prepare }),
    ...(filters && plugin.prepare && { prepare: plugin.prepare }),
    ...(filters && preFilter && { preFilter: restrictedPreFilter(preFilter, at) }),
    ...(at.has("filter") && filter && { filter }),
    ...(at.has("score") && {
      ...(preScore && { preScore }),
      ...(score && { score }),
      ...(normalize && { normalize }),
      weight: weight ?? 1,
    }),
    ...(at.has("preEnqueue") && plugin.preEnqueue && { preEnqueue: plugin.preEnqueue }),
    ...(at.has("queueSort") && plugin.queueSort && { queueSort: plugin.queueSort }),
    ...(at.has("postFilter") && plugin.postFilter && { postFilter: plugin.postFilter }),
    ...(at.has("reserve") && plugin.reserve && { reserve: plugin.reserve }),
    ...(at.has("permit") && plugin.permit && { permit: plugin.permit }),
    ...(at.has("preBind") && plugin.preBind && { preBind: plugin.preBind }),
    ...(at.has("bind") && plugin.bind && { bind: plugin.bind }),
    // What was reserved is let go of once the pod is bound.
    ...((at.has("postBind") || at.has("reserve")) && plugin.postBind && { postBind: plugin.postBind }),
  });
}

type PreFilter = NonNullable<Plugin["preFilter"]>;

function restrictedPreFilter(preFilter: PreFilter, at: ReadonlySet<ExtensionPoint>): PreFilter {
  const [before, each] = [at.has("preFilter"), at.has("filter")];
  if (before && each) return preFilter;
  return (pod: Pod, cluster: ClusterView): PreFilterResult => {
    const result = preFilter(pod, cluster);
    if (result.kind !== "look") return before ? result : skip;
    const { nodes, filter } = result;
    if (before) return nodes === undefined ? skip : { kind: "look", nodes };
    return filter === undefined ? skip : { kind: "look", filter };
  };
}
