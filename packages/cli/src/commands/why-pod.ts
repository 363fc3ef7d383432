import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { StatusError } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type ClusterAccess, httpsTransport, KubeconfigError, loadKubeconfig } from "@skiff/client";
import { type CommandContext, CommandFailure, exitCodes } from "../command-context.ts";
import { writeJson } from "../command-line.ts";
import { formatTable } from "../terminal/table.ts";

/** The options of `skiff why`. */
export interface WhyOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly output?: "json";
}

/** Of larger clusters so many nodes are shown; `-o json` has all. */
const shownNodes = 25;

/** Asks the cluster's scheduler about a pod and prints what it answers. Throws `CommandFailure` where that is not possible. */
export async function whyPod(pod: string, options: WhyOptions, context: CommandContext): Promise<void> {
  const name = podName(pod);
  const access = accessOf(options, context);
  const namespace = options.namespace ?? access.namespace;
  await using transport = httpsTransport({ ...access, clock: context.clock });
  const request = { verb: "get", group: "", version: "v1", plural: "pods", namespace, name } as const;
  const answer = await transport
    .send({ ...request, subresource: "scheduling" }, context.signal)
    .catch((error: unknown): never => {
      if (error instanceof StatusError)
        throw new CommandFailure(`Error from server (${error.status.reason}): ${error.message}`);
      throw error;
    });
  if (options.output === "json") writeJson(context, answer);
  else context.out.write(textOf(name, answer));
}

function podName(text: string): string {
  const [first = "", second, ...rest] = text.split("/");
  if (second === undefined) return first;
  if (rest.length === 0 && ["pod", "pods", "po"].includes(first) && second !== "") return second;
  throw new CommandFailure("Only pods are scheduled: name one, as in pod/NAME.", exitCodes.usage);
}

function accessOf({ kubeconfig, context }: WhyOptions, { environment }: CommandContext): ClusterAccess {
  const fromEnvironment = environment.KUBECONFIG?.split(delimiter).find((path) => path !== "");
  const file = resolve(kubeconfig ?? fromEnvironment ?? join(homedir(), ".kube", "config"));
  try {
    return loadKubeconfig(readFileSync(file, "utf8"), {
      ...(context === undefined ? {} : { context }),
      readFile: (path) => readFileSync(resolve(dirname(file), path), "utf8"),
    });
  } catch (error) {
    if (error instanceof KubeconfigError) throw new CommandFailure(`${file}: ${error.message}`);
    throw new CommandFailure(`There is no kubeconfig ${file} that can be read.`);
  }
}

/** The answer for people. */
function textOf(name: string, answer: JsonObject): string {
  const decision = isJsonObject(answer.decision) ? answer.decision : undefined;
  const nodes = (Array.isArray(decision?.nodes) ? decision.nodes : []).filter(isJsonObject);
  const lines = [`Pod ${name}: ${answer.message}`];
  if (typeof decision?.nominatedNode === "string")
    lines.push(`Room is being made for it on ${decision.nominatedNode}.`);
  if (nodes.length === 0) return `${lines.join("\n")}\n`;
  const rows = nodes.slice(0, shownNodes).map((node) => [String(node.name), verdictOf(node, decision)]);
  const more = nodes.length > shownNodes ? `… and ${nodes.length - shownNodes} nodes more (-o json has all)\n` : "";
  return `${lines.join("\n")}\n\n${formatTable(["NODE", "VERDICT"], rows)}${more}`;
}

function verdictOf(node: JsonObject, decision: JsonObject | undefined): string {
  if (typeof node.rejectedBy === "string") {
    const way = node.othersInTheWay === true ? " (other pods are in the way)" : "";
    return `${node.rejectedBy}: ${node.reason}${way}`;
  }
  const chosen = decision?.node === node.name ? "chosen" : "could take it";
  if (typeof node.score !== "number") return chosen;
  const weights = isJsonObject(decision?.weights) ? decision.weights : {};
  const parts = Object.entries(isJsonObject(node.scores) ? node.scores : {}).map(
    ([plugin, score]) => `${plugin} ${weighted(score ?? 0, weights[plugin])}`,
  );
  return `${chosen}, ${node.score} points: ${parts.join(", ")}`;
}

const weighted = (score: JsonValue, weight: JsonValue | undefined): string =>
  weight === undefined || weight === 1 ? `${score}` : `${weight}×${score}`;
