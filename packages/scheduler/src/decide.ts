import type { Pod } from "@skiff/api";
import { type Random, randomInt } from "@skiff/base";
import type { ClusterState } from "./cluster-state.ts";
import { type PluginScores, type Rejection, Verdicts } from "./decision.ts";
import {
  type Candidates,
  type Filtered,
  filterNodes,
  type Inquiry,
  type Look,
  promisedNode,
  resolvableNodes,
  type SomeNodes,
} from "./filter-nodes.ts";
import type { ClusterView, NodeScores, Plugin } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import { podFacts } from "./pod-facts.ts";
import type { Profile } from "./profile.ts";
import { rejectionOf } from "./rejections.ts";
import type { Standing } from "./standing.ts";

/** What a decision is made from. */
export interface DecisionInput {
  readonly state: ClusterState;
  readonly view: ClusterView;
  readonly profile: Profile;
  readonly random: Random;
  /** Index of the node to begin with, so that in a large cluster all of them get their turn. */
  readonly start: number;
}

/** What was decided, and what else may be asked of nodes for this pod. */
export interface Decided {
  readonly node: NodeInfo | undefined;
  readonly verdicts: Verdicts;
  /** How many nodes were looked at, the one that was promised to the pod aside. */
  readonly examined: number;
  /** Nodes that could take the pod if others went. */
  readonly resolvable: SomeNodes;
  /** Absent where no node had to be asked. */
  readonly inquiry: Inquiry | undefined;
}

/** What came of looking at nodes, before those that are left are compared. */
export type Found =
  | { readonly kind: "decided"; readonly decided: Decided }
  | {
      readonly kind: "filtered";
      readonly inquiry: Inquiry;
      readonly candidates: Candidates;
      readonly start: number;
      readonly filtered: Filtered;
      /** Nodes that plugins left out beforehand, for who has to know. */
      readonly others: () => Others | undefined;
    };

/** Finds the best node: filters them, scores those that are left; chance decides between equals. */
export function decide(pod: Pod, input: DecisionInput): Decided {
  const found = findNodes(pod, input, { promisedFirst: true });
  return found.kind === "decided" ? found.decided : choose(found, input);
}

/** Filters nodes. With `promisedFirst` none is looked at where the one that is promised to the pod does. */
export function findNodes(
  pod: Pod,
  input: DecisionInput,
  { promisedFirst }: { readonly promisedFirst: boolean },
): Found {
  const { state, view, profile } = input;
  const preparation = prepare(pod, profile.plugins, view);
  if (preparation.kind === "rejected") {
    const verdicts = noneLooked(state.names, preparation.rejection);
    const decided = { node: undefined, verdicts, examined: 0, resolvable: [], inquiry: undefined };
    return { kind: "decided", decided };
  }
  const { looks, restriction } = preparation;
  const inquiry = { pod, facts: podFacts(pod), profile, looks };
  const candidates = restriction === undefined ? state : candidatesOf(state, restriction);
  const promised = promisedFirst ? promisedNode(inquiry, candidates, state) : undefined;
  if (promised !== undefined) {
    const verdicts = new Verdicts({
      names: [promised.name],
      start: 0,
      codes: new Uint16Array(1),
      reasons: [],
      plugins: [],
    });
    return { kind: "decided", decided: { node: promised, verdicts, examined: 0, resolvable: [], inquiry } };
  }
  const { length } = candidates.nodes;
  const start = length === 0 ? 0 : input.start % length;
  const filtered = filterNodes(inquiry, candidates, { state, start });
  const others = () => (restriction === undefined ? undefined : othersOf(restriction, state.names));
  return { kind: "filtered", inquiry, candidates, start, filtered, others };
}

/** Chooses among nodes that are left; `more` are scores beside those of plugins. */
export function choose(
  { inquiry, candidates, start, filtered, others }: Found & { readonly kind: "filtered" },
  { view, random }: Pick<DecisionInput, "view" | "random">,
  more: readonly PluginScores[] = [],
): Decided {
  const { feasible, codes, standing } = filtered;
  const { reasons } = standing;
  const parts = { names: candidates.names, start, codes, reasons };
  const examined = codes.length;
  const [only] = feasible;
  if (only === undefined) {
    const resolvable = resolvableNodes(candidates, { start, codes }, reasons);
    const left = others();
    const verdicts = new Verdicts({ ...parts, plugins: [], ...(left === undefined ? {} : { others: left }) });
    return { node: undefined, verdicts, examined, resolvable, inquiry };
  }
  if (feasible.length === 1) {
    return { node: only, verdicts: new Verdicts({ ...parts, plugins: [] }), examined, resolvable: [], inquiry };
  }
  const plugins = [...scoresOf(inquiry, { feasible, standing }, view), ...more];
  const node = bestOf(feasible, plugins, random) ?? only;
  return { node, verdicts: new Verdicts({ ...parts, plugins }), examined, resolvable: [], inquiry };
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

function candidatesOf({ nodes }: ClusterState, { names }: Restriction): Candidates {
  const left = nodes.filter(({ name }) => names.has(name));
  return { nodes: left, names: left.map(({ name }) => name), slots: Int32Array.from(left, ({ slot }) => slot) };
}

/** Nodes that plugins left out before any was looked at. */
interface Others {
  readonly names: readonly string[];
  readonly rejection: Rejection;
}

function othersOf({ names, plugins }: Restriction, all: readonly string[]): Others {
  const reason = `node(s) didn't satisfy plugin(s) [${plugins.join(" ")}]`;
  const rejection = rejectionOf(plugins[0] ?? "", { reason, resolvable: false });
  return { names: all.filter((name) => !names.has(name)), rejection };
}

function scoresOf(
  { pod, profile }: Inquiry,
  { feasible, standing }: { readonly feasible: readonly NodeInfo[]; readonly standing: Standing },
  view: ClusterView,
): readonly PluginScores[] {
  const result: PluginScores[] = [];
  const add = (plugin: Plugin, raw: number[], normalize: ((scores: number[]) => void) | undefined) => {
    normalize?.(raw);
    result.push({ plugin: plugin.name, weight: plugin.weight ?? 1, scores: Uint8Array.from(raw) });
  };
  profile.cache.scorers.forEach((plugin, index) => {
    if (plugin.concerns?.(pod) === false) return;
    const raw = feasible.map((node) => standing.score(index, node));
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
