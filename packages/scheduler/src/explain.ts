import type { Pod } from "@skiff/api";
import { timestamp } from "@skiff/base";
import type { Decision } from "./decision.ts";

/** How one node stood in a decision. */
export type NodeVerdict =
  | {
      readonly name: string;
      readonly rejectedBy: string;
      readonly reason: string;
      /** The node could take the pod if others went. */
      readonly othersInTheWay: boolean;
    }
  | {
      readonly name: string;
      /** The weighted sum; absent where no other node came into question. */
      readonly score?: number;
      /** 0 to 100 by plugin, not yet weighted. */
      readonly scores?: Readonly<Record<string, number>>;
    };

/** Why a pod is where it is, or nowhere. */
export interface PodScheduling {
  readonly apiVersion: "scheduling.skiff.dev/v1";
  readonly kind: "PodScheduling";
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
  /** In short. */
  readonly message: string;
  /** The last time the scheduler decided about it; absent where it has not, or does not remember. */
  readonly decision?: {
    readonly time: string;
    readonly result: "Scheduled" | "Unschedulable";
    readonly node?: string;
    /** The node where pods are ended to make room. */
    readonly nominatedNode?: string;
    /** What each plugin's scores count. */
    readonly weights?: Readonly<Record<string, number>>;
    readonly nodes: readonly NodeVerdict[];
  };
}

/** Puts a decision into words; `otherwise`: what there is to say without one. */
export function explain(pod: Pod, decision: Decision | undefined, otherwise: string): PodScheduling {
  const { name, namespace = "", uid } = pod.metadata;
  const head = {
    apiVersion: "scheduling.skiff.dev/v1",
    kind: "PodScheduling",
    metadata: { name, namespace, uid },
  } as const;
  if (decision === undefined) return { ...head, message: otherwise };
  const { verdicts, atMs } = decision;
  const common = { time: timestamp(atMs), nodes: nodesOf(decision) };
  if (decision.kind === "unschedulable") {
    const { nominated, message } = decision;
    const nominatedNode = nominated === undefined ? {} : { nominatedNode: nominated };
    return { ...head, message, decision: { ...common, result: "Unschedulable", ...nominatedNode } };
  }
  const { node } = decision;
  const weights = Object.fromEntries(verdicts.plugins.map(({ plugin, weight }) => [plugin, weight]));
  const message = `assigned to ${node}, the best of ${verdicts.feasible.length} nodes that could take the pod`;
  return { ...head, message, decision: { ...common, result: "Scheduled", node, weights } };
}

/** The chosen node first, then the better before the worse, then those that could not. */
function nodesOf(decision: Decision): readonly NodeVerdict[] {
  const { verdicts } = decision;
  const totals = verdicts.scores;
  const chosen = decision.kind === "placed" ? decision.node : undefined;
  const able = verdicts.feasible.map((name, index) => {
    const score = totals.get(name);
    if (score === undefined) return { name };
    const scores = Object.fromEntries(verdicts.plugins.map((one) => [one.plugin, one.scores[index] ?? 0]));
    return { name, score, scores };
  });
  able.sort((a, b) => Number(b.name === chosen) - Number(a.name === chosen) || (b.score ?? 0) - (a.score ?? 0));
  const unable = [...verdicts.rejections].map(([name, { plugin, reason, resolvable }]) => ({
    name,
    rejectedBy: plugin,
    reason: reason.replaceAll("\n", ", "),
    othersInTheWay: resolvable,
  }));
  return [...able, ...unable];
}
