import { isIP } from "node:net";
import {
  type ApiServerFlags,
  apiServerFlags,
  clusterPaths,
  fullDisks,
  fullDiskText,
  podRangesOf,
  type RuntimeKind,
  systemMachine,
  type UpResult,
  upCluster,
  userKubeconfigPath,
} from "@skiff/cluster";
import { InvalidArgumentError, Option } from "commander";
import { apiServerOption, givenFlags } from "../api-server-options.ts";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { type DefineCommand, portNumber, withCluster, withOutput, writeJson } from "../command-line.ts";
import { type DatastoreFlags, datastoreOf, tokenOf, withDatastore } from "../datastore-flags.ts";
import { kubeletArgOption } from "../kubelet-arg-option.ts";
import { type PodRangeFlags, podRangeFlags, withPodRanges } from "../pod-range-flags.ts";
import { schedulerConfigOption } from "../scheduler-option.ts";
import { createProgress, noProgress } from "../terminal/progress.ts";

interface UpFlags extends GlobalOptions, DatastoreFlags, PodRangeFlags {
  readonly runtime?: RuntimeKind;
  readonly apiPort?: number;
  readonly nodes?: number;
  readonly apiserverCertExtraSans?: readonly string[];
  readonly simulatedNodes?: number;
  readonly schedulerConfig?: string;
  readonly kubeletArg?: readonly string[];
  readonly kubeconfig: string;
}

/** `skiff up`: starts a cluster, or starts it again. */
export const upCommand: DefineCommand = (program, context) => {
  const command = program
    .command("up")
    .description("start a cluster, or start it again")
    .addOption(
      new Option("--runtime <runtime>", "what pods run on; simulated pods exist in memory only").choices([
        "containerd",
        "simulated",
      ]),
    )
    .addOption(
      new Option("--api-port <port>", "port of the API server (6443, or the next free one)").argParser(portNumber),
    )
    .addOption(
      new Option(
        "--apiserver-cert-extra-sans <list>",
        "names and addresses that other machines reach the API server by, beside its own",
      ).argParser(serverNames),
    )
    .addOption(
      new Option(
        "--nodes <count>",
        "nodes of this machine (1), each like a machine of its own; more or fewer may be asked for at any time",
      ).argParser(realNodeCount),
    )
    .addOption(
      new Option(
        "--simulated-nodes <count>",
        "light nodes beside the real one whose pods run in memory only, for those that ask for them (type=kwok)",
      ).argParser(nodeCount),
    )
    .addOption(schedulerConfigOption())
    .addOption(kubeletArgOption())
    .addOption(kubeconfigOption(context));
  for (const flag of apiServerFlags) command.addOption(apiServerOption(flag));
  withOutput(withCluster(withDatastore(withPodRanges(command)), context)).action((flags: UpFlags) =>
    up(flags, givenFlags(command.opts()), context),
  );
};

function serverNames(text: string): readonly string[] {
  const names = text.split(",").filter(Boolean);
  if (names.every((name) => isIP(name) > 0 || /^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i.test(name))) return names;
  throw new InvalidArgumentError("Names and addresses, with commas between.");
}

const mostRealNodes = 20;

function realNodeCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= mostRealNodes) return count;
  throw new InvalidArgumentError(`It is a number from 1 to ${mostRealNodes}.`);
}

const mostNodes = 10_000;

function nodeCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= mostNodes) return count;
  throw new InvalidArgumentError(`It is a number from 0 to ${mostNodes}.`);
}

/** `--kubeconfig`, with the file that kubectl itself would use. */
export const kubeconfigOption = (context: CommandContext): Option =>
  new Option("--kubeconfig <file>", "file that the cluster's entry goes into").default(
    userKubeconfigPath(context.environment),
  );

async function up(flags: UpFlags, given: ApiServerFlags, context: CommandContext): Promise<void> {
  const report = flags.output === "json" ? noProgress : createProgress(context.err, context.clock);
  const [datastore, token] = [datastoreOf(flags), await tokenOf(flags, context)];
  let result: UpResult;
  try {
    result = await upCluster(
      {
        name: flags.name,
        home: flags.home,
        runtime: flags.runtime,
        apiPort: flags.apiPort,
        apiServerFlags: given,
        ...(flags.kubeletArg === undefined ? {} : { kubeletArgs: flags.kubeletArg }),
        serverNames: flags.apiserverCertExtraSans,
        nodes: flags.nodes,
        simulatedNodes: flags.simulatedNodes,
        schedulerConfig: flags.schedulerConfig,
        podRanges: podRangesOf(podRangeFlags(flags)),
        datastore,
        token,
        kubeconfig: flags.kubeconfig,
        isRoot: context.isRoot,
        self: context.self,
      },
      { machine: systemMachine(), clock: context.clock, report },
      context.signal,
    );
  } catch (error) {
    report.failed();
    throw error;
  }
  report.done();
  const { settings } = result;
  if (flags.output === "json") {
    writeJson(context, { ...result, kubeconfig: flags.kubeconfig });
    return;
  }
  if (settings.runtime === "simulated") {
    report.note("Runtime: simulated. Pods are shown as running, but no container is ever started.");
  }
  if (settings.datastore !== undefined) {
    report.note(`Further servers join with the same --datastore-endpoints and the token in ${result.tokenFile}.`);
  }
  const state = result.already
    ? "was already running"
    : `is up: API after ${inSeconds(result.apiMs)}, node after ${inSeconds(result.nodeReadyMs)}`;
  report.note(`Cluster "${settings.name}" ${state}.`);
  for (const { nodeName, readyMs } of result.furtherNodes) {
    report.note(
      `Node ${nodeName} ${readyMs === 0 ? "was already running" : `is Ready, ${inSeconds(readyMs)} after the API`}.`,
    );
  }
  report.note(`kubectl uses it now (context ${result.context} in ${flags.kubeconfig}): kubectl get nodes`);
  const paths = clusterPaths(flags.home, settings.name);
  const full = settings.runtime === "simulated" ? [] : await fullDisks(paths);
  if (full.length > 0) {
    const { text, advice } = fullDiskText(full, paths);
    report.note(`Warning: ${text}: ${advice}.`);
  }
}

/** A time for people. */
export const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
