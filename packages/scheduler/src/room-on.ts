import type { Pod } from "@skiff/api";
import type { ClusterState } from "./cluster-state.ts";
import { type PodFacts, podFacts } from "./pod-facts.ts";
import type { Profile } from "./profile.ts";

/**
 * Whether what a pod left behind on its node is room enough for others: asked for every pod that waits, answered once for all that
 * are alike. `true` also where that does not decide: a plugin that looks beyond the node rejected the pod.
 */
export function roomOn(
  state: ClusterState,
  name: string | undefined,
): ((pod: Pod, profile: Profile, rejectedBy: ReadonlySet<string>) => boolean) | undefined {
  const node = name ? state.node(name) : undefined;
  if (node === undefined) return undefined;
  const promised = state.nominations.on(node.name);
  const known = new Map<PodFacts, boolean>();
  return (pod, profile, rejectedBy) => {
    for (const { name: plugin, filter } of profile.plugins)
      if (rejectedBy.has(plugin) && filter === undefined) return true;
    const facts = podFacts(pod);
    const { uid } = pod.metadata;
    // Whoever the node is promised to sees it otherwise than those beside whom it would have to fit.
    const isPromised = promised.has(uid);
    const remembered = isPromised ? undefined : known.get(facts);
    if (remembered !== undefined) return remembered;
    const added = state.nominations.before(node.name, { uid, priority: facts.priority });
    const supposing = { added, gone: [] };
    const room = profile.cache.rejection({ pod, facts, node: node.supposing(supposing), supposing }) === undefined;
    if (!isPromised) known.set(facts, room);
    return room;
  };
}
