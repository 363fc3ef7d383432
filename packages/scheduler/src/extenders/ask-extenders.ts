import type { Pod } from "@skiff/api";
import { describeError, isAbort, type Logger } from "@skiff/base";
import { type Attempt, type AttemptInput, preemptionInput } from "../attempt.ts";
import { choose, type DecisionInput, type Found, findNodes } from "../decide.ts";
import type { PluginScores } from "../decision.ts";
import type { NodeInfo } from "../node-info.ts";
import { planAmong, preemptionCandidates } from "../preemption/plan-preemption.ts";
import { byImportance, type Candidate, candidateOf } from "../preemption/select-victims.ts";
import { rejectionOf } from "../rejections.ts";
import { type Extender, ExtenderFailure, extenderName } from "./extender.ts";

/** Whom to ask about a pod, in order. */
export interface Asking {
  readonly extenders: readonly Extender[];
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Whether anybody has to be asked before a pod is placed. */
export const asksAbout = (extenders: readonly Extender[], pod: Pod): readonly Extender[] =>
  extenders.filter((one) => (one.filter ?? one.prioritize ?? one.preempt) !== undefined && one.isInterested(pod));

/** Decides about a pod together with extenders. Throws `ExtenderFailure` where one that matters gives no answer. */
export async function attemptWithExtenders(pod: Pod, input: AttemptInput, asking: Asking): Promise<Attempt> {
  const decided = await decideWithExtenders(pod, input, asking);
  const preemption = preemptionInput(decided, input);
  if (preemption === undefined) return { decided, plan: undefined };
  const tried = preemptionCandidates(pod, preemption);
  if (tried.kind === "not-eligible") return { decided, plan: tried };
  const candidates = await askForVictims(pod, tried.candidates, asking);
  const dropped = tried.candidates.length - candidates.length;
  return { decided, plan: planAmong({ ...tried, candidates, hopeless: tried.hopeless + dropped }) };
}

async function decideWithExtenders(pod: Pod, input: DecisionInput, asking: Asking) {
  const found = findNodes(pod, input, { promisedFirst: false });
  if (found.kind === "decided") return found.decided;
  const left = await askToFilter(pod, found, asking);
  const { feasible } = left.filtered;
  const promised = input.state.nominations.nodeOf(pod.metadata.uid);
  const own = feasible.filter(({ name }) => name === promised);
  if (own.length > 0) return choose({ ...left, filtered: { ...left.filtered, feasible: own } }, input);
  const scores = feasible.length > 1 ? await askForScores(pod, feasible, asking) : [];
  return choose(left, input, scores);
}

type Filtering = Found & { readonly kind: "filtered" };

/** Calls one extender; `undefined` where it fails and may be ignored. */
async function answerOf<T>(
  { name, ignorable }: Extender,
  asking: Asking,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!ignorable || isAbort(error, asking.signal)) throw error;
    asking.logger.info(`going on without extender ${name}: ${describeError(error)}`);
    return undefined;
  }
}

/** One after the other: each is asked about the nodes that those before it have left. */
async function askToFilter(pod: Pod, found: Filtering, asking: Asking): Promise<Filtering> {
  const { filtered, candidates, start } = found;
  const { standing } = filtered;
  const codes = filtered.codes.slice();
  let { feasible } = filtered;
  for (const extender of asking.extenders) {
    if (extender.filter === undefined || feasible.length === 0) continue;
    const ask = extender.filter;
    const nodes = feasible.map(({ node }) => node);
    const choice = await answerOf(extender, asking, () => ask(pod, nodes, asking.signal));
    if (choice === undefined) continue;
    const refused = new Map(feasible.filter(({ name }) => !choice.left.has(name)).map(({ name }) => [name, true]));
    for (let index = 0; index < codes.length; index++) {
      const name = candidates.names[(start + index) % candidates.names.length] ?? "";
      if (!refused.has(name)) continue;
      const hopeless = choice.hopeless.get(name);
      const reason = hopeless ?? choice.failed.get(name) ?? `node(s) didn't satisfy plugin(s) [${extenderName}]`;
      const resolvable = hopeless === undefined && choice.failed.has(name);
      codes[index] = standing.codeOf(rejectionOf(extenderName, { reason, resolvable }));
    }
    feasible = feasible.filter(({ name }) => choice.left.has(name));
  }
  return { ...found, filtered: { ...filtered, codes, feasible } };
}

/** All at once. Those that fail have no say, whether they may be ignored or not. */
async function askForScores(
  pod: Pod,
  feasible: readonly NodeInfo[],
  { extenders, logger, signal }: Asking,
): Promise<readonly PluginScores[]> {
  const nodes = feasible.map(({ node }) => node);
  const asked = extenders.map(async ({ prioritize, name, weight }): Promise<readonly PluginScores[]> => {
    if (prioritize === undefined) return [];
    try {
      const scores = await prioritize(pod, nodes, signal);
      return [{ plugin: name, weight, scores: feasible.map((node) => (scores.get(node.name) ?? 0) * 10) }];
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      logger.info(`no scores from extender ${name}: ${describeError(error)}`);
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}

/** Whose end would be right for the extenders too. */
async function askForVictims(
  pod: Pod,
  candidates: readonly Candidate[],
  asking: Asking,
): Promise<readonly Candidate[]> {
  const nodes = new Map(candidates.map(({ node }) => [node.name, node]));
  let victims: ReadonlyMap<string, Pick<Candidate, "victims" | "violations">> = new Map(
    candidates.map((candidate) => [candidate.node.name, candidate]),
  );
  let isChanged = false;
  for (const extender of asking.extenders) {
    if (extender.preempt === undefined || victims.size === 0) continue;
    const ask = extender.preempt;
    const asked = victims;
    const answer = await answerOf(extender, asking, () => ask(pod, asked, asking.signal));
    if (answer === undefined) continue;
    for (const [name, { victims: pods }] of answer) {
      if (pods.length > 0 || extender.ignorable) continue;
      throw new ExtenderFailure(`expected at least one victim pod on node ${JSON.stringify(name)}`);
    }
    victims = new Map([...answer].filter(([, { victims: pods }]) => pods.length > 0));
    isChanged = true;
  }
  if (!isChanged) return candidates;
  return [...victims].flatMap(([name, { victims: pods, violations }]) => {
    const node = nodes.get(name);
    return node === undefined ? [] : [candidateOf(node, [...pods].sort(byImportance), violations)];
  });
}
