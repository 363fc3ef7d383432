import { deleteCluster, systemMachine } from "@skiff/cluster";
import type { GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster, withOutput, writeJson } from "../command-line.ts";
import { createProgress, noProgress } from "../terminal/progress.ts";
import { kubeconfigOption } from "./up.ts";

/** `skiff delete`: stops a cluster and removes every trace of it. */
export const deleteCommand: DefineCommand = (program, context) => {
  const command = program
    .command("delete")
    .description("stop a cluster and remove it with all its objects and data")
    .addOption(kubeconfigOption(context));
  withOutput(withCluster(command, context)).action(
    async ({ name, home, output, kubeconfig }: GlobalOptions & { readonly kubeconfig: string }) => {
      const progress = output === "json" ? noProgress : createProgress(context.err, context.clock);
      const effects = { machine: systemMachine(), clock: context.clock, step: (text: string) => progress.step(text) };
      const node = await deleteCluster({ name, home, kubeconfig }, effects, context.signal);
      progress.done();
      if (output === "json") writeJson(context, { name, deleted: true, ...(node === undefined ? {} : { node }) });
      else if (node === undefined) progress.note(`Cluster "${name}" is deleted.`);
      else progress.note(`Node ${node} is deleted here; the cluster still lists it: kubectl delete node ${node}`);
    },
  );
};
