import type { Pod } from "@skiff/api";
import { type Random, randomInt } from "@skiff/base";
import type { FilterRequest, Plugin } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import { podFacts } from "./pod-facts.ts";

/** Why a node cannot take a pod: the first plugin that said no. */
export interface Rejection {
  readonly plugin: string;
  readonly reason: string;
  readonly resolvable: boolean;
}

/** Where a pod goes, or why it goes nowhere; every node's part in it is kept, to answer "why?". */
export type Decision =
  | {
      readonly kind: "placed";
      readonly node: string;
      /** Weighted totals of the nodes that could have taken it. */
      readonly scores: ReadonlyMap<string, number>;
      readonly rejections: ReadonlyMap<string, Rejection>;
    }
  | { readonly kind: "unschedulable"; readonly rejections: ReadonlyMap<string, Rejection> };

/** Finds the best node: filters all, scores those that are left; chance decides between equals. */
export function decide(pod: Pod, nodes: readonly NodeInfo[], plugins: readonly Plugin[], random: Random): Decision {
  const rejections = new Map<string, Rejection>();
  const feasible: FilterRequest[] = [];
  const facts = podFacts(pod);
  for (const node of nodes) {
    const request = { pod, facts, node };
    const rejection = firstRejection(request, plugins);
    if (rejection === undefined) feasible.push(request);
    else rejections.set(node.name, rejection);
  }
  const [only] = feasible;
  if (only === undefined) return { kind: "unschedulable", rejections };
  if (feasible.length === 1) return { kind: "placed", node: only.node.name, scores: new Map(), rejections };
  const totals = totalScores(feasible, plugins);
  const best = Math.max(...totals);
  const winners = feasible.filter((_, index) => totals[index] === best);
  const winner = winners[randomInt(random, winners.length)] ?? only;
  const scores = new Map(feasible.map(({ node }, index) => [node.name, totals[index] ?? 0]));
  return { kind: "placed", node: winner.node.name, scores, rejections };
}

function firstRejection(request: FilterRequest, plugins: readonly Plugin[]): Rejection | undefined {
  for (const { name, filter } of plugins) {
    const result = filter?.(request);
    if (result?.kind === "rejected") return { plugin: name, reason: result.reason, resolvable: result.resolvable };
  }
  return undefined;
}

function totalScores(requests: readonly FilterRequest[], plugins: readonly Plugin[]): number[] {
  const totals = requests.map(() => 0);
  for (const { score, normalize, weight = 1 } of plugins) {
    if (score === undefined) continue;
    const scores = requests.map(score);
    normalize?.(scores);
    scores.forEach((value, index) => {
      totals[index] = (totals[index] ?? 0) + weight * value;
    });
  }
  return totals;
}

/**
 * The text of a FailedScheduling event and of the pod's condition, in the form that people and tools know:
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). preemption: …`.
 */
export function unschedulableMessage(nodeCount: number, rejections: ReadonlyMap<string, Rejection>): string {
  if (nodeCount === 0) return "no nodes available to schedule pods";
  const reasons = histogram([...rejections.values()].map(({ reason }) => reason));
  const unhelpful = [...rejections.values()].filter(({ resolvable }) => !resolvable).length;
  const preemption = [
    ...(unhelpful < nodeCount ? [`${nodeCount - unhelpful} No preemption victims found for incoming pod`] : []),
    ...(unhelpful > 0 ? [`${unhelpful} Preemption is not helpful for scheduling`] : []),
  ];
  return `0/${nodeCount} nodes are available: ${reasons}. preemption: 0/${nodeCount} nodes are available: ${preemption.join(", ")}.`;
}

/** `2 Insufficient cpu, 1 node(s) were unschedulable`: counted, in order of the whole text as Kubernetes sorts it. */
function histogram(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons.flatMap((one) => one.split("\n"))) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
