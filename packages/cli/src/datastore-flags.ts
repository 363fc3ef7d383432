import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Datastore } from "@skiff/cluster";
import { type Command, Option } from "commander";
import { type CommandContext, CommandFailure, exitCodes } from "./command-context.ts";

/** Flags of commands that start a server. */
export interface DatastoreFlags {
  readonly datastoreEndpoints?: readonly string[];
  readonly datastoreCafile?: string;
  readonly datastoreCertfile?: string;
  readonly datastoreKeyfile?: string;
  readonly datastorePrefix?: string;
  readonly tokenFile?: string;
}

/** Adds the flags of a cluster whose state is kept by etcd. */
export const withDatastore = (command: Command): Command =>
  command
    .addOption(
      new Option(
        "--datastore-endpoints <urls>",
        "an etcd that keeps the cluster's state for several servers: https://HOST:PORT,…",
      ).argParser((text) => text.split(",").filter((url) => url !== "")),
    )
    .addOption(filePath("--datastore-cafile <file>", "authority of etcd's certificates"))
    .addOption(filePath("--datastore-certfile <file>", "certificate to show to etcd"))
    .addOption(filePath("--datastore-keyfile <file>", "key of that certificate"))
    .option("--datastore-prefix <text>", "what stands before all keys in etcd")
    .addOption(
      filePath("--token-file <file>", "the cluster's token, for its second server and further ones (or SKIFF_TOKEN)"),
    );

/** Other processes read the files later, from other folders. */
const filePath = (flags: string, description: string): Option =>
  new Option(flags, description).argParser((path) => resolve(path));

/** The datastore that the flags name; `undefined` where they name none. */
export function datastoreOf(flags: DatastoreFlags): Datastore | undefined {
  const { datastoreEndpoints: endpoints, datastorePrefix: prefix = "" } = flags;
  const files = {
    ...(flags.datastoreCafile === undefined ? {} : { caFile: flags.datastoreCafile }),
    ...(flags.datastoreCertfile === undefined ? {} : { certFile: flags.datastoreCertfile }),
    ...(flags.datastoreKeyfile === undefined ? {} : { keyFile: flags.datastoreKeyfile }),
  };
  if (endpoints !== undefined) return { endpoints, prefix, ...files };
  if (Object.keys(files).length > 0 || prefix !== "") {
    throw new CommandFailure("the flags --datastore-… need --datastore-endpoints", exitCodes.usage);
  }
  return undefined;
}

/** The token from its file or from the environment. */
export async function tokenOf(flags: DatastoreFlags, context: CommandContext): Promise<string | undefined> {
  if (flags.tokenFile === undefined) return context.environment.SKIFF_TOKEN || undefined;
  const text = await readFile(flags.tokenFile, "utf8").catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(`cannot read the token: ${why}`, exitCodes.failure);
  });
  return text.trim();
}
