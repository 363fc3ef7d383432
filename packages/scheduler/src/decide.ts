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

/** Of clusters up to this size every node is looked at. */
const alwaysConsidered = 100;

/**
 * How many nodes that could take a pod are enough to choose among, as Kubernetes has it: all of 100, half of several
 * hundred, a tenth of 5,000, never less than a twentieth.
 */
export function enoughNodes(nodeCount: number): number {
  if (nodeCount <= alwaysConsidered) return nodeCount;
  const percent = Math.max(5, 50 - Math.floor(nodeCount / 125));
  return Math.max(alwaysConsidered, Math.floor((nodeCount * percent) / 100));
}

/** What a decision is made from. */
export interface DecisionInput {
  readonly nodes: readonly NodeInfo[];
  readonly plugins: readonly Plugin[];
  readonly random: Random;
  /** Index of the node to begin with, so that in a large cluster all of them get their turn. */
  readonly start: number;
}

/** A decision, and how many nodes were looked at for it. */
export type Decided = Decision & { readonly examined: number };

/** Finds the best node: filters them, scores those that are left; chance decides between equals. */
export function decide(pod: Pod, { nodes, plugins, random, start }: DecisionInput): Decided {
  const rejections = new Map<string, Rejection>();
  const feasible: FilterRequest[] = [];
  const facts = podFacts(pod);
  const concerned = plugins.filter(({ concerns }) => concerns?.(pod) ?? true);
  const restriction = restrictionOf(pod, concerned);
  const candidates = restriction === undefined ? nodes : nodes.filter(({ name }) => restriction.names.has(name));
  const filters = concerned.filter(({ filter }) => filter !== undefined);
  const enough = enoughNodes(candidates.length);
  let examined = 0;
  for (; examined < candidates.length && feasible.length < enough; examined++) {
    const node = candidates[(start + examined) % candidates.length];
    if (node === undefined) continue;
    const request = { pod, facts, node };
    const rejection = firstRejection(request, filters);
    if (rejection === undefined) feasible.push(request);
    else rejections.set(node.name, rejection);
  }
  const [only] = feasible;
  if (only === undefined) {
    if (restriction !== undefined) rejectOthers(rejections, nodes, restriction);
    return { kind: "unschedulable", rejections, examined };
  }
  if (feasible.length === 1) return { kind: "placed", node: only.node.name, scores: new Map(), rejections, examined };
  const totals = totalScores(feasible, concerned);
  const best = totals.reduce((highest, total) => Math.max(highest, total), 0);
  const winners = feasible.filter((_, index) => totals[index] === best);
  const winner = winners[randomInt(random, winners.length)] ?? only;
  const scores = new Map(feasible.map(({ node }, index) => [node.name, totals[index] ?? 0]));
  return { kind: "placed", node: winner.node.name, scores, rejections, examined };
}

interface Restriction {
  readonly names: ReadonlySet<string>;
  readonly plugin: string;
}

/** The nodes that alone come into question, where a plugin says so before any is looked at. */
function restrictionOf(pod: Pod, plugins: readonly Plugin[]): Restriction | undefined {
  for (const { name, preFilter } of plugins) {
    const names = preFilter?.(pod);
    if (names !== undefined) return { names, plugin: name };
  }
  return undefined;
}

function rejectOthers(
  rejections: Map<string, Rejection>,
  nodes: readonly NodeInfo[],
  { names, plugin }: Restriction,
): void {
  const rejection = { plugin, reason: `node(s) didn't satisfy plugin(s) [${plugin}]`, resolvable: false };
  for (const { name } of nodes) if (!names.has(name)) rejections.set(name, rejection);
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
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). no new claims to deallocate,
 * preemption: 0/3 nodes are available: …`.
 */
export function unschedulableMessage(
  pod: Pick<Pod, "spec">,
  nodeCount: number,
  rejections: ReadonlyMap<string, Rejection>,
): string {
  if (nodeCount === 0) return "no nodes available to schedule pods";
  const all = [...rejections.values()];
  const reasons = histogram(all.flatMap(({ reason }) => reason.split("\n")));
  const helpless = `0/${nodeCount} nodes are available`;
  const preemption =
    pod.spec.preemptionPolicy === "Never"
      ? "not eligible due to preemptionPolicy=Never"
      : `${helpless}: ${histogram(all.map(({ resolvable }) => (resolvable ? noVictims : notHelpful)))}`;
  return `${helpless}: ${reasons}. no new claims to deallocate, preemption: ${preemption}.`;
}

const noVictims = "No preemption victims found for incoming pod";
const notHelpful = "Preemption is not helpful for scheduling";

/** `1 node(s) were unschedulable, 2 Insufficient cpu`: counted, in order of the whole text as Kubernetes sorts it. */
function histogram(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
