import { type Pod, type PodDisruptionBudget, podCondition } from "@skiff/api";
import { type Random, randomInt } from "@skiff/base";
import type { ClusterState } from "../cluster-state.ts";
import type { Decided } from "../decide.ts";
import type { Inquiry, SomeNodes } from "../filter-nodes.ts";
import type { NodeInfo } from "../node-info.ts";
import { fruitlessPreemption } from "../unschedulable-message.ts";
import type { CandidateLimits } from "./candidate-limits.ts";
import { isLess } from "./harm.ts";
import { type Candidate, type NotHelped, priorityOf, selectVictims } from "./select-victims.ts";
import type { VictimCache } from "./victim-cache.ts";

/** What comes of looking for pods whose end would make room. */
export type PreemptionPlan =
  | { readonly kind: "preempt"; readonly candidate: Candidate }
  /** Nothing is done, and a nomination that the pod has stays as it is. */
  | { readonly kind: "not-eligible"; readonly text: string }
  /** Nothing would help; a nomination that the pod has was in vain. */
  | { readonly kind: "fruitless"; readonly text: string };

export interface PreemptionInput {
  readonly decided: Decided;
  readonly state: ClusterState;
  readonly budgets: readonly PodDisruptionBudget[];
  readonly random: Random;
  readonly limits: CandidateLimits;
  readonly cache: VictimCache;
}

const notHelpful = "Preemption is not helpful for scheduling";

/** Nodes where the end of pods would help, and why it would not on others. */
export type PreemptionCandidates =
  | (PreemptionPlan & { readonly kind: "not-eligible" })
  | {
      readonly kind: "tried";
      readonly candidates: readonly Candidate[];
      readonly failed: readonly NotHelped[];
      /** How many nodes were not tried, as nothing would help there. */
      readonly hopeless: number;
    };

/** Which pods have to go for this one, if any. */
export const planPreemption = (pod: Pod, input: PreemptionInput): PreemptionPlan =>
  planAmong(preemptionCandidates(pod, input));

/** Thinks through the end of pods, node by node. */
export function preemptionCandidates(pod: Pod, input: PreemptionInput): PreemptionCandidates {
  const { decided, state } = input;
  if (pod.spec.preemptionPolicy === "Never") {
    return { kind: "not-eligible", text: "not eligible due to preemptionPolicy=Never." };
  }
  const { inquiry, resolvable: nodes } = decided;
  if (awaitsVictims(pod, state)) {
    return { kind: "not-eligible", text: "not eligible due to a terminating pod on the nominated node." };
  }
  const found = inquiry === undefined ? { candidates: [], failed: [] } : tryOut(inquiry, nodes, input);
  return { kind: "tried", ...found, hopeless: state.nodes.length - nodes.length };
}

/** Takes the best of the candidates. */
export function planAmong(tried: PreemptionCandidates): PreemptionPlan {
  if (tried.kind === "not-eligible") return tried;
  const { candidates, failed, hopeless } = tried;
  const best = pickCandidate(candidates);
  if (best !== undefined) return { kind: "preempt", candidate: best };
  const reasons = new Map<string, number>();
  if (hopeless > 0) reasons.set(notHelpful, hopeless);
  for (const { reason } of failed)
    for (const line of reason.split("\n")) reasons.set(line, (reasons.get(line) ?? 0) + 1);
  return { kind: "fruitless", text: fruitlessPreemption(hopeless + failed.length + candidates.length, reasons) };
}

/** The one that does the least harm; of several that are equal the first. */
function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const candidate of candidates) if (best === undefined || isLess(candidate.harm, best.harm)) best = candidate;
  return best;
}

/** Whether pods that have to go for this one are on their way out: it waits for them. */
function awaitsVictims(pod: Pod, state: ClusterState): boolean {
  const name = state.nominations.nodeOf(pod.metadata.uid) ?? pod.status?.nominatedNodeName;
  const node = name ? state.node(name) : undefined;
  if (node === undefined) return false;
  for (const other of node.pods) {
    if (other.metadata.deletionTimestamp === undefined || priorityOf(other) >= priorityOf(pod)) continue;
    const target = podCondition(other, "DisruptionTarget");
    if (target?.status === "True" && target.reason === "PreemptionByScheduler") return true;
  }
  return false;
}

function tryOut(inquiry: Inquiry, nodes: SomeNodes, input: PreemptionInput) {
  const { budgets, random, limits, state } = input;
  const { facts, pod } = inquiry;
  const { uid } = pod.metadata;
  const nominatedTo = ({ name }: NodeInfo) => state.nominations.before(name, { uid, priority: facts.priority });
  const own = state.nominations.nodeOf(uid);
  const cache = input.cache.of(inquiry, { state, budgets, own: own === undefined ? undefined : state.node(own) });
  const wanted = Math.min(
    nodes.length,
    Math.max(Math.floor((nodes.length * limits.minCandidateNodesPercentage) / 100), limits.minCandidateNodesAbsolute),
  );
  const offset = nodes.length === 0 ? 0 : randomInt(random, nodes.length);
  const candidates: Candidate[] = [];
  const failed: NotHelped[] = [];
  let harmless = 0;
  for (let index = 0; index < nodes.length; index++) {
    if (candidates.length >= wanted && harmless > 0) break;
    const node = nodes.at((offset + index) % nodes.length);
    if (node === undefined) break;
    const result = cache.get(node) ?? cache.put(node, selectVictims(inquiry, node, nominatedTo(node), budgets));
    if (result.kind === "not-helped") failed.push(result);
    else {
      candidates.push(result);
      if (result.violations === 0) harmless++;
    }
  }
  return { candidates, failed };
}
