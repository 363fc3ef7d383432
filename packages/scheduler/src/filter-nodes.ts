import type { Pod } from "@skiff/api";
import type { ClusterState } from "./cluster-state.ts";
import type { Rejection } from "./decision.ts";
import { type FilterRequest, type FilterResult, fits } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import type { Profile } from "./profile.ts";
import { rejectionOf } from "./rejections.ts";
import { type Standing, unknown } from "./standing.ts";

/** Of clusters up to this size every node is looked at. */
const alwaysConsidered = 100;

/**
 * How many nodes that could take a pod are enough to choose among, as Kubernetes has it: all of 100, half of several
 * hundred, a tenth of 5,000, never less than a twentieth; or the share that is configured.
 */
export function enoughNodes(nodeCount: number, configuredPercent = 0): number {
  if (nodeCount <= alwaysConsidered) return nodeCount;
  const percent = configuredPercent || Math.max(5, 50 - Math.floor(nodeCount / 125));
  return Math.max(alwaysConsidered, Math.floor((nodeCount * Math.min(percent, 100)) / 100));
}

/** How a node fares with what plugins found out about this pod: what `preFilter` left. */
export interface Look {
  readonly plugin: string;
  readonly filter: (request: FilterRequest) => FilterResult;
}

/** All that is asked of a node for a pod. */
export interface Inquiry {
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly profile: Profile;
  readonly looks: readonly Look[];
}

/** Nodes that come into question, with their names and slots in the same order. */
export type Candidates = Pick<ClusterState, "nodes" | "names" | "slots">;

/** What came of looking at nodes. */
export interface Filtered {
  readonly feasible: readonly NodeInfo[];
  /** One for each node looked at: 0 where it could take the pod, else 1 more than an index of the standing's reasons. */
  readonly codes: Uint16Array;
  readonly standing: Standing;
}

/** Looks at nodes, round the end of the list, until there are enough that could take the pod. */
export function filterNodes(
  inquiry: Inquiry,
  { nodes, slots }: Candidates,
  { state, start }: { readonly state: ClusterState; readonly start: number },
): Filtered {
  const { pod, facts, profile, looks } = inquiry;
  const count = nodes.length;
  const enough = enoughNodes(count, profile.percentageOfNodesToScore);
  const standing = profile.cache.standing(facts, state);
  const look = looks.length === 0 ? undefined : lookFor(inquiry, state, standing);
  const own = promisedTo(pod, state)?.slot;
  const refusals = nodes === state.nodes && own === undefined ? standing.refusals(pod, state, start) : undefined;
  if (refusals !== undefined) return { feasible: [], codes: refusals, standing };
  const known = standing.codes;
  const codes = new Uint16Array(count);
  const feasible: NodeInfo[] = [];
  let examined = 0;
  for (let at = start; examined < count && feasible.length < enough; at = at + 1 === count ? 0 : at + 1) {
    const slot = slots[at] ?? 0;
    let code = known[slot] ?? unknown;
    // Most nodes of a full cluster have been asked before, and have not changed: they cost this look at a number.
    if (code === 0 || code === unknown || slot === own) {
      const node = nodes[at];
      if (node === undefined) break;
      // What stands of a node that is promised to this pod is that others must leave it alone.
      if (slot === own) code = standing.codeOf(rejectionBeside(inquiry, node, state));
      else {
        if (code === unknown) code = standing.ask(pod, node, state);
        if (code === 0 && look !== undefined) code = look(node);
      }
      if (code === 0) feasible.push(node);
    }
    codes[examined] = code;
    examined++;
  }
  return { feasible, codes: codes.slice(0, examined), standing };
}

/** The node where room was made for the pod, if that does now: whoever else has come into question is no better. */
export function promisedNode(inquiry: Inquiry, { nodes }: Candidates, state: ClusterState): NodeInfo | undefined {
  const node = promisedTo(inquiry.pod, state);
  if (node === undefined || (nodes !== state.nodes && !nodes.includes(node))) return undefined;
  return rejectionBeside(inquiry, node, state) === undefined ? node : undefined;
}

function promisedTo({ metadata }: Pod, state: ClusterState): NodeInfo | undefined {
  const name = state.nominations.nodeOf(metadata.uid);
  return name === undefined ? undefined : state.node(name);
}

/** Why a node will not do: it has to as it is, and with those pods nominated to it that come first. */
function rejectionBeside(inquiry: Inquiry, node: NodeInfo, { nominations }: ClusterState): Rejection | undefined {
  const { pod, facts } = inquiry;
  const added = nominations.before(node.name, { uid: pod.metadata.uid, priority: facts.priority });
  const asItIs = () => rejectionOn(inquiry, { pod, facts, node });
  if (added.length === 0) return asItIs();
  const supposing = { added, gone: [] };
  return rejectionOn(inquiry, { pod, facts, node: node.supposing(supposing), supposing }) ?? asItIs();
}

/** Asks what plugins found out about this pod alone; of nodes that are known to do otherwise. */
function lookFor(inquiry: Inquiry, state: ClusterState, standing: Standing): (node: NodeInfo) => number {
  const { pod, facts, looks } = inquiry;
  const { nominations } = state;
  // Most nodes are refused for the same reason.
  let last: FilterResult = fits;
  let lastCode = 0;
  return (node) => {
    if (nominations.size > 0 && nominations.on(node.name).size > 0)
      return standing.codeOf(rejectionBeside(inquiry, node, state));
    const request = { pod, facts, node };
    for (const { plugin, filter } of looks) {
      const result = filter(request);
      if (result.kind === "fits") continue;
      if (result !== last) lastCode = standing.codeOf(rejectionOf(plugin, result));
      last = result;
      return lastCode;
    }
    return 0;
  };
}

function lookAt({ looks }: Inquiry, request: FilterRequest): Rejection | undefined {
  for (const { plugin, filter } of looks) {
    const result = filter(request);
    if (result.kind === "rejected") return rejectionOf(plugin, result);
  }
  return undefined;
}

/** Why a node would not do as it is supposed to be. */
export const rejectionOn = (inquiry: Inquiry, request: FilterRequest): Rejection | undefined =>
  inquiry.profile.cache.rejection(request) ?? lookAt(inquiry, request);

/** Nodes by their place in some order: an array, or less than that. */
export type SomeNodes = Pick<readonly NodeInfo[], "length" | "at">;

/** Those of the nodes looked at that could take the pod if others went. */
export function resolvableNodes(
  { nodes }: Candidates,
  { start, codes }: { readonly start: number; readonly codes: Uint16Array },
  reasons: readonly Rejection[],
): SomeNodes {
  const isResolvable = Uint8Array.from([0, ...reasons.map(({ resolvable }) => Number(resolvable))]);
  const places = new Int32Array(codes.length);
  let length = 0;
  for (let index = 0; index < codes.length; index++) {
    if (isResolvable[codes[index] ?? 0] !== 1) continue;
    places[length++] = (start + index) % nodes.length;
  }
  return { length, at: (index) => nodes[places[index] ?? -1] };
}
