import type { Node, Pod } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@skiff/base";
import { type ExtenderChoice, ExtenderFailure, type VictimsOf } from "./extender.ts";

/** Nodes as an extender wants them: whole, or by name where it knows them itself. */
const nodesAs = (nodes: readonly Node[], byName: boolean) =>
  byName
    ? { Nodes: null, NodeNames: nodes.map(({ metadata }) => metadata.name) }
    : { Nodes: { metadata: {}, items: nodes }, NodeNames: null };

/** `ExtenderArgs`: what filter and prioritize are asked. */
export const extenderArgs = (pod: Pod, nodes: readonly Node[], byName: boolean): object => ({
  Pod: pod,
  ...nodesAs(nodes, byName),
});

/** `ExtenderBindingArgs`. */
export const bindingArgs = ({ metadata }: Pod, node: string): object => ({
  PodName: metadata.name,
  PodNamespace: metadata.namespace,
  PodUID: metadata.uid,
  Node: node,
});

/** `ExtenderPreemptionArgs`. */
export function preemptionArgs(pod: Pod, candidates: ReadonlyMap<string, VictimsOf>, byName: boolean): object {
  const victims = (shown: (pod: Pod) => object) =>
    Object.fromEntries(
      [...candidates].map(([name, { victims: pods, violations }]) => [
        name,
        { Pods: pods.map(shown), NumPDBViolations: violations },
      ]),
    );
  return {
    Pod: pod,
    NodeNameToVictims: byName ? null : victims((one) => one),
    NodeNameToMetaVictims: byName ? victims(({ metadata }) => ({ UID: metadata.uid })) : null,
  };
}

/** Members of answers are found whatever their case, as Go finds them. */
function member(object: JsonObject, name: string): JsonValue | undefined {
  if (object[name] !== undefined) return object[name] ?? undefined;
  const found = Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : (object[found] ?? undefined);
}

const unusable = (extender: string, what: string): ExtenderFailure =>
  new ExtenderFailure(`extender ${JSON.stringify(extender)} answered with ${what}`);

function parsed(extender: string, text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    throw new ExtenderFailure(`extender ${JSON.stringify(extender)} did not answer with JSON`, { cause: error });
  }
}

function objectIn(extender: string, text: string): JsonObject {
  const value = parsed(extender, text);
  if (!isJsonObject(value)) throw unusable(extender, "no object");
  const error = member(value, "Error");
  if (typeof error === "string" && error !== "") throw new ExtenderFailure(error);
  return value;
}

const textsIn = (value: JsonValue | undefined): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(isJsonObject(value) ? value : {}).map(([name, text]) => [
      name,
      typeof text === "string" ? text : "",
    ]),
  );

/** Reads an `ExtenderFilterResult`. */
export function choiceIn(extender: string, text: string, asked: ReadonlySet<string>): ExtenderChoice {
  const result = objectIn(extender, text);
  const [names, nodes] = [member(result, "NodeNames"), member(result, "Nodes")];
  const items = isJsonObject(nodes) ? member(nodes, "items") : undefined;
  const left = Array.isArray(names) ? names : Array.isArray(items) ? items.map(nameOf) : [];
  for (const name of left) {
    if (typeof name === "string" && asked.has(name)) continue;
    throw new ExtenderFailure(
      `extender ${JSON.stringify(extender)} claims a filtered node ${JSON.stringify(name)} which is not found in the input node list`,
    );
  }
  return {
    left: new Set(left.filter((name) => typeof name === "string")),
    failed: textsIn(member(result, "FailedNodes")),
    hopeless: textsIn(member(result, "FailedAndUnresolvableNodes")),
  };
}

const nameOf = (node: JsonValue): JsonValue =>
  isJsonObject(node) && isJsonObject(node.metadata) ? (node.metadata.name ?? null) : null;

/** Reads a `HostPriorityList`. */
export function scoresIn(extender: string, text: string): ReadonlyMap<string, number> {
  const value = parsed(extender, text);
  if (!Array.isArray(value)) throw unusable(extender, "no list of scores");
  const scores = new Map<string, number>();
  for (const one of value) {
    const [host, score] = isJsonObject(one) ? [member(one, "Host"), member(one, "Score")] : [];
    if (typeof host !== "string") throw unusable(extender, "a score of no host");
    scores.set(host, (scores.get(host) ?? 0) + (typeof score === "number" ? score : 0));
  }
  return scores;
}

/** Reads an `ExtenderBindingResult`: throws what it says. */
export const checkBinding = (extender: string, text: string): void => void objectIn(extender, text);

/** Reads an `ExtenderPreemptionResult`: pods are named by uid, and are among those on the node. */
export function victimsIn(
  extender: string,
  text: string,
  podOn: (node: string, uid: string) => Pod | undefined,
): ReadonlyMap<string, VictimsOf> {
  const named = member(objectIn(extender, text), "NodeNameToMetaVictims");
  const found = new Map<string, VictimsOf>();
  for (const [node, victims] of Object.entries(isJsonObject(named) ? named : {})) {
    const [pods, violations] = isJsonObject(victims)
      ? [member(victims, "Pods"), member(victims, "NumPDBViolations")]
      : [];
    const uids = (Array.isArray(pods) ? pods : []).map((one) => (isJsonObject(one) ? member(one, "UID") : undefined));
    found.set(node, {
      victims: uids.map((uid) => {
        const pod = typeof uid === "string" ? podOn(node, uid) : undefined;
        if (pod !== undefined) return pod;
        throw new ExtenderFailure(
          `extender: ${extender} claims to preempt pod (UID: ${uid}) on node: ${node}, but the pod is not found on that node`,
        );
      }),
      violations: typeof violations === "number" ? violations : 0,
    });
  }
  return found;
}
