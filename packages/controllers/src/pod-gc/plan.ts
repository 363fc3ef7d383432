import { isPodTerminal, type Node, type Pod } from "@skiff/api";
import { isNodeReady } from "../node-lifecycle/plan.ts";

const outOfService = "node.kubernetes.io/out-of-service";

/** A pod that nobody will end: it goes at once. */
export const isLeft = (pod: Pod, node: Node | undefined): boolean => {
  if (pod.metadata.deletionTimestamp === undefined) return false;
  if (!pod.spec.nodeName) return true;
  // Somebody has vouched for it that the node is switched off.
  return node !== undefined && !isNodeReady(node) && (node.spec.taints ?? []).some(({ key }) => key === outOfService);
};

const isEvicted = ({ status }: Pod): boolean => status?.phase === "Failed" && status.reason === "Evicted";

/** Those of the ended pods that are too many: evicted ones first, then the oldest. */
export function surplus(ended: readonly Pod[], threshold: number): readonly Pod[] {
  if (threshold <= 0 || ended.length <= threshold) return [];
  const order = (a: Pod, b: Pod): number => {
    if (isEvicted(a) !== isEvicted(b)) return isEvicted(a) ? -1 : 1;
    const [from, to] = [a.metadata, b.metadata];
    if (from.creationTimestamp !== to.creationTimestamp) return from.creationTimestamp < to.creationTimestamp ? -1 : 1;
    return from.name < to.name ? -1 : 1;
  };
  return ended
    .filter(isPodTerminal)
    .toSorted(order)
    .slice(0, ended.length - threshold);
}
