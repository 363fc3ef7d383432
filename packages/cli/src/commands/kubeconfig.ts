import { readFile } from "node:fs/promises";
import { ClusterError, clusterPaths } from "@skiff/cluster";
import type { GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster } from "../command-line.ts";

/** `skiff kubeconfig`: the administrator's kubeconfig of one cluster, whole. */
export const kubeconfigCommand: DefineCommand = (program, context) => {
  const command = program.command("kubeconfig").description("print a kubeconfig that holds just this cluster");
  withCluster(command, context).action(async ({ name, home }: GlobalOptions) => {
    const text = await readFile(clusterPaths(home, name).kubeconfig, "utf8").catch(() => undefined);
    if (text === undefined) throw new ClusterError("NO_CLUSTER", `there is no cluster "${name}" below ${home}`);
    context.out.write(text);
  });
};
