import { type DaemonSet, type Node, podFitsNodeLabels, untoleratedTaint } from "@skiff/api";
import { tolerationsOf } from "./pod.ts";

/** Whether a set wants a pod on a node, and whether one that is there may stay. */
export interface Placement {
  readonly shouldRun: boolean;
  readonly mayStay: boolean;
}

/** By the template's node name, selector and affinity, and by the node's taints. Room on the node does not matter. */
export function placementOf(set: DaemonSet, node: Node): Placement {
  const spec = set.spec.template.spec ?? { containers: [] };
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return { shouldRun: false, mayStay: false };
  if (!podFitsNodeLabels(spec, node)) return { shouldRun: false, mayStay: false };
  const tolerations = tolerationsOf(set);
  const refused = untoleratedTaint(node.spec.taints, tolerations, ["NoSchedule", "NoExecute"]);
  if (refused === undefined) return { shouldRun: true, mayStay: true };
  return { shouldRun: false, mayStay: untoleratedTaint(node.spec.taints, tolerations, ["NoExecute"]) === undefined };
}
