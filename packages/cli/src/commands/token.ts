import { parseDuration } from "@skiff/base";
import { createToken, deleteTokens, listTokens, type TokenDetails, type TokenUsage, tokenUsages } from "@skiff/cluster";
import { InvalidArgumentError, Option } from "commander";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { type DefineCommand, withCluster, withOutput, writeJson } from "../command-line.ts";
import { formatAge, formatTable } from "../terminal/table.ts";

interface CreateFlags extends GlobalOptions {
  readonly ttl: number;
  readonly description?: string;
  readonly usages?: readonly TokenUsage[];
  readonly groups?: readonly string[];
  readonly printJoinCommand?: boolean;
}

/** `skiff token create|list|delete`: what further machines join a cluster with. The options are kubeadm's. */
export const tokenCommand: DefineCommand = (program, context) => {
  const token = program.command("token").description("make, list and remove the tokens with which machines join");
  const create = token
    .command("create")
    .description("make a token; `skiff join` takes it on another machine")
    .argument("[token]", "of the form abcdef.0123456789abcdef (one that nobody can guess)")
    .addOption(
      new Option("--ttl <duration>", "how long it is good, as in 2h; 0: for ever")
        .argParser(duration)
        .default(24 * 3_600_000, "24h"),
    )
    .addOption(new Option("--description <text>", "what it is for"))
    .addOption(new Option("--usages <list>", "what it may be used for (signing,authentication)").argParser(usages))
    .addOption(
      new Option("--groups <list>", "groups that it gives (system:bootstrappers:kubeadm:default-node-token)").argParser(
        (text) => text.split(","),
      ),
    )
    .option("--print-join-command", "print the command that the machine runs");
  withOutput(withCluster(create, context)).action(async (text: string | undefined, flags: CreateFlags) => {
    const { ttl, description, usages, groups, printJoinCommand } = flags;
    const wishes = { token: text, ttlMs: ttl, description, usages, groups };
    const made = await createToken(flags, wishes, context.clock, context.signal);
    if (flags.output === "json") writeJson(context, shown(made));
    else context.out.write(`${printJoinCommand ? made.joinCommand : made.token}\n`);
  });
  const list = token.command("list").alias("ls").description("list the tokens");
  withOutput(withCluster(list, context)).action(async (flags: GlobalOptions) => {
    const tokens = await listTokens(flags, context.clock, context.signal);
    if (flags.output === "json") writeJson(context, tokens.map(shown));
    else print(tokens, context);
  });
  const remove = token
    .command("delete")
    .alias("rm")
    .description("remove tokens: nobody joins with them any more")
    .argument("<token...>", "tokens, or the six letters before the dot");
  withCluster(remove, context).action(async (names: readonly string[], flags: GlobalOptions) => {
    await deleteTokens(flags, names, context.clock, context.signal);
    context.err.write(`Deleted: ${names.map((name) => name.split(".")[0]).join(", ")}\n`);
  });
};

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError("A duration, as in 90m or 24h; 0 for ever.");
}

function usages(text: string): readonly TokenUsage[] {
  const found = tokenUsages.filter((usage) => text.split(",").includes(usage));
  if (found.length === text.split(",").length) return found;
  throw new InvalidArgumentError(`Some of ${tokenUsages.join(",")}.`);
}

/** A token as programs are told of it. */
const shown = ({ id, secret, expiresMs, usages, groups, description, ...more }: TokenDetails) => ({
  token: `${id}.${secret}`,
  ...(expiresMs === undefined ? {} : { expires: new Date(expiresMs).toISOString() }),
  usages,
  groups,
  description,
  ...more,
});

function print(tokens: readonly TokenDetails[], { out, clock }: CommandContext): void {
  const rows = tokens.map(({ id, secret, expiresMs, usages, groups, description }) => [
    `${id}.${secret}`,
    expiresMs === undefined ? "<forever>" : formatAge(expiresMs - clock.now()),
    expiresMs === undefined ? "<never>" : new Date(expiresMs).toISOString(),
    usages.join(",") || "<none>",
    description || "<none>",
    groups.join(",") || "<none>",
  ]);
  out.write(formatTable(["TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"], rows));
}
