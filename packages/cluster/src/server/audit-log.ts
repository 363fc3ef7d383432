import { readFile } from "node:fs/promises";
import { type AuditOptions, AuditPolicy, AuditPolicyError, AuditWebhook } from "@skiff/apiserver";
import { type Clock, describeError, type JsonObject, type Logger } from "@skiff/base";
import { RotatingFile } from "@skiff/host";
import type { AuditFlags } from "../operation/operation-options.ts";
import { ClusterError } from "../settings/settings.ts";

const dayMs = 86_400_000;
const mebibyte = 1024 * 1024;

/** An audit log that is open until it is disposed of. */
export interface AuditLog extends AsyncDisposable {
  readonly options: AuditOptions;
}

/** Opens the audit log where there is a policy for it. Throws `ClusterError` for a policy that cannot be used. */
export async function openAuditLog(
  paths: { readonly policy: string; readonly log: string },
  flags: AuditFlags,
  effects: { readonly clock: Clock; readonly logger: Logger },
): Promise<AuditLog | undefined> {
  const path = flags.policyFile ?? paths.policy;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && flags.policyFile === undefined) return undefined;
    throw new ClusterError("AUDIT_POLICY_UNREADABLE", `cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (text === undefined) return undefined;
  const policy = policyOf(path, text);
  const { clock, logger } = effects;
  const limits = {
    maxBytes: flags.maxSize * mebibyte,
    maxBackups: flags.maxBackup,
    maxAgeMs: flags.maxAge * dayMs,
  };
  const onError = (error: unknown) => logger.error(`the audit log cannot be written: ${describeError(error)}`);
  await using stack = new AsyncDisposableStack();
  const now = () => clock.now();
  const file = stack.use(await RotatingFile.open(flags.logPath ?? paths.log, limits, { now, onError }));
  const webhook = await openWebhook(flags, effects, stack);
  const write = (event: JsonObject) => {
    file.write(JSON.stringify(event));
    webhook?.write(event);
  };
  const open = stack.move();
  return { options: { policy, sink: { write } }, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}

async function openWebhook(
  { webhookFile, webhookWaitMs }: AuditFlags,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  stack: AsyncDisposableStack,
): Promise<AuditWebhook | undefined> {
  if (webhookFile === undefined) return undefined;
  // Most clusters have none.
  const { clientFor, remoteServer } = await import("../identity/remote-server.ts");
  const client = stack.use(clientFor(clock));
  const server = remoteServer("audit-webhook-config-file", webhookFile);
  return stack.use(new AuditWebhook({ client, server, clock, logger, maxWaitMs: webhookWaitMs }));
}

function policyOf(path: string, text: string): AuditPolicy {
  try {
    return AuditPolicy.parse(text);
  } catch (error) {
    if (!(error instanceof AuditPolicyError)) throw error;
    throw new ClusterError("AUDIT_POLICY_INVALID", `${path}: ${error.message}`, { cause: error });
  }
}
