import { resolve } from "node:path";
import { backupCluster, restoreCluster, systemMachine } from "@skiff/cluster";
import type { GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster } from "../command-line.ts";

/** `skiff backup FILE`: everything that a cluster is made anew of, in one file. */
export const backupCommand: DefineCommand = (program, context) => {
  const command = program
    .command("backup")
    .description("write the cluster's state and authorities to a file, while it runs or not")
    .argument("<file>", "a tar file; it holds keys, and is readable for its owner alone");
  withCluster(command, context).action(async (file: string, flags: GlobalOptions) => {
    await backupCluster(flags, resolve(file), { machine: systemMachine(), clock: context.clock }, context.signal);
    context.err.write(`Cluster "${flags.name}" is in ${file}.\n`);
  });
};

/** `skiff restore FILE`: a cluster as it was. */
export const restoreCommand: DefineCommand = (program, context) => {
  const command = program
    .command("restore")
    .description("put a backup in the place of a cluster that does not run")
    .argument("<file>", "what skiff backup wrote");
  withCluster(command, context).action(async (file: string, flags: GlobalOptions) => {
    const effects = { machine: systemMachine(), clock: context.clock };
    const { objects, revision } = await restoreCluster(flags, resolve(file), effects);
    context.err.write(
      `Cluster "${flags.name}" holds ${objects} objects as of revision ${revision}. Start it: skiff up\n`,
    );
  });
};
