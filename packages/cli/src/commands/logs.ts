import { watch } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError, clusterPaths } from "@skiff/cluster";
import { Argument, InvalidArgumentError, Option } from "commander";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster } from "../command-line.ts";

interface LogFlags extends GlobalOptions {
  readonly node: number;
  readonly follow?: boolean;
  readonly tail: number;
}

/** `skiff logs [PROCESS]`: what the cluster's own processes wrote. */
export const logsCommand: DefineCommand = (program, context) => {
  const command = program
    .command("logs")
    .description("print the log of one of the cluster's processes (not of pods: kubectl logs)")
    .addArgument(
      new Argument("[process]", "which process")
        .choices(["server", "agent", "containerd", "nfs", "supervisor"])
        .default("server"),
    )
    .addOption(
      new Option("--node <number>", "of which of the machine's nodes (skiff up --nodes)")
        .default(1)
        .argParser(nodeNumber),
    )
    .option("-f, --follow", "go on printing")
    .addOption(new Option("--tail <lines>", "how many lines to begin with").default(100).argParser(lineCount));
  withCluster(command, context).action((name: string, flags: LogFlags) => printLog(name, flags, context));
};

function lineCount(text: string): number {
  const lines = Number(text);
  if (Number.isInteger(lines) && lines >= 0) return lines;
  throw new InvalidArgumentError("A number of lines, 0 or more.");
}

function nodeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError("A number, 1 for the first node.");
}

async function printLog(name: string, flags: LogFlags, context: CommandContext): Promise<void> {
  const { logs, nodes } = clusterPaths(flags.home, flags.name);
  const folder = flags.node === 1 ? logs : clusterPaths(nodes, String(flags.node)).logs;
  const present = await readdir(folder).catch(() => undefined);
  if (present === undefined) {
    const node = flags.node === 1 ? "" : ` with a node ${flags.node}`;
    throw new ClusterError("NO_CLUSTER", `there is no cluster "${flags.name}"${node} below ${flags.home}`);
  }
  const path = join(folder, `${name}.log`);
  if (!present.includes(`${name}.log`)) throw new ClusterError("NO_LOG", `${path} does not exist (yet)`);
  await using file = await open(path);
  const text = await file.readFile("utf8");
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  for (const line of flags.tail === 0 ? [] : lines.slice(-flags.tail)) context.out.write(`${line}\n`);
  if (last !== "") context.out.write(last);
  if (flags.follow) await follow(path, Buffer.byteLength(text), context);
}

/** Prints what is appended, until interrupted. A file that became shorter was rotated: it is read from its start. */
async function follow(path: string, from: number, { out, signal }: CommandContext): Promise<void> {
  let position = from;
  const printMore = async () => {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size < position) position = 0;
    if (size === position) return;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - position), 0, size - position, position);
    position += bytesRead;
    out.write(buffer.subarray(0, bytesRead).toString("utf8"));
  };
  const done = Promise.withResolvers<void>();
  let printing = Promise.resolve();
  const watcher = watch(path, () => {
    printing = printing.then(printMore).catch(() => {});
  });
  signal.addEventListener("abort", () => done.resolve(), { once: true });
  await done.promise;
  watcher.close();
  await printing;
}
