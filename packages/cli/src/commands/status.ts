import { type ClusterStatus, clusterStatus, clustersIn, systemMachine } from "@skiff/cluster";
import { type CommandContext, CommandFailure, exitCodes, type GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster, withOutput, writeJson } from "../command-line.ts";
import { formatAge, formatBytes, formatTable } from "../terminal/table.ts";

/** `skiff status`: whether a cluster runs, and its processes. */
export const statusCommand: DefineCommand = (program, context) => {
  const command = program.command("status").description("tell whether a cluster runs (exit code 3 where it does not)");
  withOutput(withCluster(command, context)).action(async ({ name, home, output }: GlobalOptions) => {
    const status = await clusterStatus({ name, home }, systemMachine(), context.signal);
    if (status === undefined) {
      const others = (await clustersIn(home)).map((settings) => settings.name);
      const known = others.length === 0 ? "" : ` (there are: ${others.join(", ")})`;
      if (output === "json") writeJson(context, { name, state: "absent" });
      throw new CommandFailure(`There is no cluster "${name}" below ${home}${known}.`, exitCodes.notRunning);
    }
    if (output === "json") writeJson(context, status);
    else print(status, context);
    if (status.state !== "running") throw new CommandFailure("", exitCodes.notRunning);
  });
};

function print(status: ClusterStatus, { out, clock }: CommandContext): void {
  out.write(`Cluster "${status.name}" is ${status.state}: ${status.server}, runtime ${status.settings.runtime}\n`);
  if (status.processes.length === 0) return;
  const all = [status, ...status.furtherNodes].flatMap((node) =>
    node.processes.map((one) => ({ ...one, name: "nodeName" in node ? `${node.nodeName}: ${one.name}` : one.name })),
  );
  const rows = all.map((one) => [
    one.name,
    one.alive ? "running" : "ended",
    String(one.pid),
    formatBytes(one.residentBytes),
    String(one.restarts),
    one.alive ? formatAge(clock.now() - one.startedAtMs) : "-",
  ]);
  out.write(`\n${formatTable(["PROCESS", "STATE", "PID", "MEMORY", "RESTARTS", "AGE"], rows)}`);
}
