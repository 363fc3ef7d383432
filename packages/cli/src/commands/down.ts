import { downCluster, systemMachine } from "@skiff/cluster";
import type { GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster, withOutput, writeJson } from "../command-line.ts";
import { createProgress, noProgress } from "../terminal/progress.ts";
import { kubeconfigOption } from "./up.ts";

/** `skiff down`: stops a cluster, keeping its objects. */
export const downCommand: DefineCommand = (program, context) => {
  const command = program
    .command("down")
    .description("stop a cluster; its objects stay, `skiff up` brings it back")
    // Who names it to `up` and `delete` may name it here: the cluster's entry stays in it.
    .addOption(kubeconfigOption(context));
  withOutput(withCluster(command, context)).action(async ({ name, home, output }: GlobalOptions) => {
    const progress = output === "json" ? noProgress : createProgress(context.err, context.clock);
    const effects = { machine: systemMachine(), clock: context.clock, step: (text: string) => progress.step(text) };
    const wasRunning = await downCluster({ name, home }, effects, context.signal);
    progress.done();
    if (output === "json") writeJson(context, { name, wasRunning });
    else progress.note(wasRunning ? `Cluster "${name}" is stopped.` : `Cluster "${name}" was not running.`);
  });
};
