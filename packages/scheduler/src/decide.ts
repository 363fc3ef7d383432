import type { Pod } from "@skiff/api";
import { type Random, randomInt } from "@skiff/base";
import type { ClusterState } from "./cluster-state.ts";
import { type PluginScores, type Rejection, Verdicts } from "./decision.ts";
import type { ClusterView, FilterRequest, FilterResult, NodeScores, Plugin } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import { type PodFacts, podFacts } from "./pod-facts.ts";
import type { Profile } from "./profile.ts";
import { rejectionOf } from "./rejections.ts";
import type { Verdict } from "./shape-cache.ts";

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

/** What a decision is made from. */
export interface DecisionInput {
  readonly state: ClusterState;
  readonly view: ClusterView;
  readonly profile: Profile;
  readonly random: Random;
  /** Index of the node to begin with, so that in a large cluster all of them get their turn. */
  readonly start: number;
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

/** What was decided, how many nodes were looked at, and what else may be asked of nodes for this pod. */
export interface Decided {
  readonly node: NodeInfo | undefined;
  readonly verdicts: Verdicts;
  readonly examined: number;
  /** Nodes that could take the pod if others went. */
  readonly resolvable: readonly NodeInfo[];
  /** Absent where no node had to be asked. */
  readonly inquiry: Inquiry | undefined;
}

/** Finds the best node: filters them, scores those that are left; chance decides between equals. */
export function decide(pod: Pod, input: DecisionInput): Decided {
  const { state, view, profile } = input;
  const preparation = prepare(pod, profile.plugins, view);
  const all = state.nodes;
  if (preparation.kind === "rejected") {
    const { rejection } = preparation;
    return {
      node: undefined,
      verdicts: noneLooked(state.names, rejection),
      examined: 0,
      resolvable: [],
      inquiry: undefined,
    };
  }
  const { looks, restriction } = preparation;
  const inquiry = { pod, facts: podFacts(pod), profile, looks };
  const nominated = state.nominations.nodeOf(pod.metadata.uid);
  const candidates = restriction === undefined ? all : all.filter(({ name }) => restriction.names.has(name));
  const start = firstToLookAt(candidates, nominated, input.start);
  const filtered = filterNodes(inquiry, candidates, { ...input, start });
  const { feasible, verdicts: found, codes, reasons, resolvable } = filtered;
  const names = restriction === undefined ? state.names : candidates.map(({ name }) => name);
  const parts = { names, start, codes, reasons };
  const [only] = feasible;
  const examined = codes.length;
  if (only === undefined) {
    const others = restriction === undefined ? {} : { others: othersOf(restriction, state.names) };
    return {
      node: undefined,
      verdicts: new Verdicts({ ...parts, plugins: [], ...others }),
      examined,
      resolvable,
      inquiry,
    };
  }
  if (feasible.length === 1) {
    return { node: only, verdicts: new Verdicts({ ...parts, plugins: [] }), examined, resolvable, inquiry };
  }
  const plugins = scoresOf(inquiry, feasible, found, view);
  const node = bestOf(feasible, plugins, input.random) ?? only;
  return { node, verdicts: new Verdicts({ ...parts, plugins }), examined, resolvable, inquiry };
}

type Preparation =
  | { readonly kind: "rejected"; readonly rejection: Rejection }
  | { readonly kind: "ready"; readonly looks: readonly Look[]; readonly restriction: Restriction | undefined };

interface Restriction {
  readonly names: ReadonlySet<string>;
  readonly plugins: readonly string[];
}

function prepare(pod: Pod, plugins: readonly Plugin[], view: ClusterView): Preparation {
  const looks: Look[] = [];
  let restriction: Restriction | undefined;
  for (const { name, preFilter, concerns } of plugins) {
    if (preFilter === undefined || concerns?.(pod) === false) continue;
    const result = preFilter(pod, view);
    if (result.kind === "skip") continue;
    if (result.kind === "rejected") return { kind: "rejected", rejection: rejectionOf(name, result) };
    if (result.filter !== undefined) looks.push({ plugin: name, filter: result.filter });
    if (result.nodes === undefined) continue;
    const names: ReadonlySet<string> = restriction === undefined ? result.nodes : both(restriction.names, result.nodes);
    restriction = { names, plugins: [...(restriction?.plugins ?? []), name] };
    if (names.size === 0) break;
  }
  return { kind: "ready", looks, restriction };
}

const both = (a: ReadonlySet<string>, b: ReadonlySet<string>) => new Set([...a].filter((name) => b.has(name)));

const noneLooked = (names: readonly string[], rejection: Rejection) => {
  const others = { names, rejection, whole: true };
  return new Verdicts({ names: [], start: 0, codes: new Uint16Array(), reasons: [], plugins: [], others });
};

/** Nodes that plugins left out before any was looked at. */
function othersOf({ names, plugins }: Restriction, all: readonly string[]) {
  const reason = `node(s) didn't satisfy plugin(s) [${plugins.join(" ")}]`;
  const rejection = rejectionOf(plugins[0] ?? "", { reason, resolvable: false });
  return { names: all.filter((name) => !names.has(name)), rejection };
}

/** The node where room was made is looked at first: whoever else has come into question is no better. */
function firstToLookAt(candidates: readonly NodeInfo[], nominated: string | undefined, start: number): number {
  if (nominated === undefined) return candidates.length === 0 ? 0 : start % candidates.length;
  const at = candidates.findIndex(({ name }) => name === nominated);
  return at === -1 ? 0 : at;
}

interface Filtered {
  readonly feasible: readonly NodeInfo[];
  readonly verdicts: readonly (Verdict | undefined)[];
  readonly codes: Uint16Array;
  readonly reasons: readonly Rejection[];
  readonly resolvable: readonly NodeInfo[];
}

function filterNodes(inquiry: Inquiry, candidates: readonly NodeInfo[], input: DecisionInput): Filtered {
  const { pod, facts, profile } = inquiry;
  const { state, start } = input;
  const count = candidates.length;
  const enough = enoughNodes(count, profile.percentageOfNodesToScore);
  const nominated = state.nominations.nodeOf(pod.metadata.uid);
  const known = profile.cache.verdicts(facts);
  const codes = new Uint16Array(count);
  const codeOf = new Map<Rejection, number>();
  const feasible: NodeInfo[] = [];
  const resolvable: NodeInfo[] = [];
  const verdicts: (Verdict | undefined)[] = [];
  let examined = 0;
  while (examined < count && feasible.length < enough) {
    const node = candidates[(start + examined) % count];
    if (node === undefined) break;
    const request = { pod, facts, node };
    const verdict = profile.cache.verdict(known, request);
    const rejection = verdict.rejection ?? lookAt(inquiry, request) ?? withNominated(inquiry, request, state);
    if (rejection === undefined) {
      feasible.push(node);
      verdicts.push(verdict);
      if (node.name === nominated) {
        examined++;
        break;
      }
    } else {
      const code = codeOf.get(rejection) ?? codeOf.size + 1;
      codeOf.set(rejection, code);
      codes[examined] = code;
      if (rejection.resolvable) resolvable.push(node);
    }
    examined++;
  }
  return { feasible, verdicts, codes: codes.subarray(0, examined).slice(), reasons: [...codeOf.keys()], resolvable };
}

function lookAt({ looks }: Inquiry, request: FilterRequest): Rejection | undefined {
  for (const { plugin, filter } of looks) {
    const result = filter(request);
    if (result.kind === "rejected") return rejectionOf(plugin, result);
  }
  return undefined;
}

/** A node must also do with the pods that are nominated to it, where they are as important as this one. */
function withNominated(
  inquiry: Inquiry,
  { pod, facts, node }: FilterRequest,
  state: ClusterState,
): Rejection | undefined {
  if (state.nominations.size === 0) return undefined;
  const added = [...state.nominations.on(node.name).values()].filter(
    (other) => other.metadata.uid !== pod.metadata.uid && (other.spec.priority ?? 0) >= (pod.spec.priority ?? 0),
  );
  if (added.length === 0) return undefined;
  const supposing = { added, gone: [] };
  return rejectionOn(inquiry, { pod, facts, node: node.supposing(supposing), supposing });
}

/** Why a node would not do as it is supposed to be. */
export const rejectionOn = (inquiry: Inquiry, request: FilterRequest): Rejection | undefined =>
  inquiry.profile.cache.rejection(request) ?? lookAt(inquiry, request);

function scoresOf(
  { pod, profile }: Inquiry,
  feasible: readonly NodeInfo[],
  verdicts: readonly (Verdict | undefined)[],
  view: ClusterView,
): readonly PluginScores[] {
  const result: PluginScores[] = [];
  const add = (plugin: Plugin, raw: number[], normalize: ((scores: number[]) => void) | undefined) => {
    normalize?.(raw);
    result.push({ plugin: plugin.name, weight: plugin.weight ?? 1, scores: Uint8Array.from(raw) });
  };
  profile.cache.scorers.forEach((plugin, index) => {
    if (plugin.concerns?.(pod) === false) return;
    const raw = verdicts.map((verdict) => verdict?.scores[index] ?? 0);
    add(plugin, raw, plugin.normalize);
  });
  for (const plugin of profile.plugins) {
    if (plugin.preScore === undefined || plugin.concerns?.(pod) === false) continue;
    const scores: NodeScores | undefined = plugin.preScore(pod, feasible, view);
    if (scores === undefined) continue;
    add(
      plugin,
      feasible.map((node) => scores.of(node)),
      scores.normalize?.bind(scores),
    );
  }
  return result;
}

function bestOf(feasible: readonly NodeInfo[], plugins: readonly PluginScores[], random: Random): NodeInfo | undefined {
  const totals = new Float64Array(feasible.length);
  for (const { weight, scores } of plugins) {
    for (let index = 0; index < totals.length; index++) {
      totals[index] = (totals[index] ?? 0) + weight * (scores[index] ?? 0);
    }
  }
  const best = totals.reduce((highest, total) => Math.max(highest, total), 0);
  const winners = feasible.filter((_, index) => totals[index] === best);
  return winners[randomInt(random, winners.length)];
}
