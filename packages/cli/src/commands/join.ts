import { type JoinResult, joinCluster, type RuntimeKind, systemMachine } from "@skiff/cluster";
import { InvalidArgumentError, Option } from "commander";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster, withOutput, writeJson } from "../command-line.ts";
import { kubeletArgOption } from "../kubelet-arg-option.ts";
import { createProgress, noProgress } from "../terminal/progress.ts";
import { inSeconds } from "./up.ts";

interface JoinFlags extends GlobalOptions {
  readonly token?: string;
  readonly discoveryTokenCaCertHash?: string;
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly runtime?: RuntimeKind;
  readonly kubeletArg?: readonly string[];
}

/** `skiff join SERVER`: makes this machine a node of a cluster, or starts it again as that. */
export const joinCommand: DefineCommand = (program, context) => {
  const command = program
    .command("join")
    .description("make this machine a node of a cluster (skiff token create --print-join-command), or start it again")
    .argument("[server]", "where the cluster's API server is, as in https://10.0.0.1:6443")
    .option("--token <token>", "bootstrap token of the cluster")
    .addOption(
      new Option(
        "--discovery-token-ca-cert-hash <hash>",
        "the cluster's authority must be this one: sha256:…",
      ).argParser(authorityHash),
    )
    .addOption(new Option("--node-name <name>", "the node's name (that of the machine)").argParser(nodeName))
    .option("--node-ip <address>", "the node's address (that by which it reaches the server)")
    .addOption(new Option("--runtime <runtime>", "what its pods run on").choices(["containerd", "simulated"]))
    .addOption(kubeletArgOption());
  withOutput(withCluster(command, context)).action((server: string | undefined, flags: JoinFlags) =>
    join(server, flags, context),
  );
};

function authorityHash(text: string): string {
  if (/^sha256:[0-9a-f]{64}$/i.test(text)) return text;
  throw new InvalidArgumentError("It has the form sha256:… with 64 hexadecimal digits.");
}

function nodeName(text: string): string {
  if (text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text)) return text;
  throw new InvalidArgumentError("A node's name has lower case letters, digits, '-' and '.'.");
}

async function join(server: string | undefined, flags: JoinFlags, context: CommandContext): Promise<void> {
  const report = flags.output === "json" ? noProgress : createProgress(context.err, context.clock);
  const { name, home, token, discoveryTokenCaCertHash: caHash, nodeName, nodeIp, runtime } = flags;
  const { isRoot, self, clock, signal } = context;
  const options = { name, home, server, token, caHash, nodeName, nodeIp, runtime, isRoot, self };
  const kubeletArgs = flags.kubeletArg === undefined ? {} : { kubeletArgs: flags.kubeletArg };
  let result: JoinResult;
  try {
    result = await joinCluster({ ...options, ...kubeletArgs }, { machine: systemMachine(), clock, report }, signal);
  } catch (error) {
    report.failed();
    throw error;
  }
  report.done();
  const { settings, already, nodeReadyMs } = result;
  if (flags.output === "json") {
    writeJson(context, result);
    return;
  }
  const state = already ? "was already running" : `is Ready after ${inSeconds(nodeReadyMs)}`;
  report.note(`Node ${settings.nodeName} of ${settings.server} ${state}.`);
}
