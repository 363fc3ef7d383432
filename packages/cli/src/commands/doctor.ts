import { examineMachine, type Finding, systemMachine } from "@skiff/cluster";
import type { GlobalOptions } from "../command-context.ts";
import { type CommandContext, CommandFailure } from "../command-context.ts";
import { type DefineCommand, withCluster, withOutput, writeJson } from "../command-line.ts";

const marks: Readonly<Record<Finding["kind"], string>> = { good: "✓", warning: "!", problem: "✗" };

/** `skiff doctor`: what on this machine keeps a cluster from working, and what to do about it. */
export const doctorCommand: DefineCommand = (program, context) => {
  const command = program.command("doctor").description("check this machine and say what is missing");
  withOutput(withCluster(command, context)).action(async (flags: GlobalOptions) => {
    const findings = await examineMachine(flags, { machine: systemMachine(), isRoot: context.isRoot }, context.signal);
    if (flags.output === "json") writeJson(context, findings);
    else print(findings, context);
    if (findings.some(({ kind }) => kind === "problem")) throw new CommandFailure("");
  });
};

function print(findings: readonly Finding[], { out }: CommandContext): void {
  for (const { kind, subject, text, advice } of findings) {
    out.write(`${marks[kind]} ${subject}: ${text}\n`);
    if (advice !== undefined) out.write(`    ${advice}\n`);
  }
}
