import { readFile } from "node:fs/promises";
import { type AuditOptions, AuditPolicy, AuditPolicyError } from "@skiff/apiserver";
import { type Clock, describeError, type JsonObject, type Logger } from "@skiff/base";
import { RotatingFile } from "@skiff/host";
import { ClusterError } from "../settings/settings.ts";

const dayMs = 86_400_000;
const mebibyte = 1024 * 1024;

/** What the command line says of the audit log. */
export interface AuditFlags {
  /** File with a `Policy` of `audit.k8s.io/v1`; `audit-policy.yaml` in the cluster's folder, should it be there, where absent. */
  readonly policyFile?: string;
  /** Where events go; `-` is standard output, `audit.log` among the cluster's logs where absent. */
  readonly logPath?: string;
  /** Mebibytes after which a file is put aside; 100 where absent, 0 for never. */
  readonly maxSize?: number;
  /** How many files that were put aside are kept, and for how many days; 0, and where absent: all, for ever. */
  readonly maxBackup?: number;
  readonly maxAge?: number;
}

/** An audit log that is open until it is disposed of. */
export interface AuditLog extends AsyncDisposable {
  readonly options: AuditOptions;
}

/** Opens the audit log where there is a policy for it. Throws `ClusterError` for a policy that cannot be used. */
export async function openAuditLog(
  paths: { readonly policy: string; readonly log: string },
  flags: AuditFlags,
  effects: { readonly clock: Clock; readonly logger: Logger; readonly print: (line: string) => void },
): Promise<AuditLog | undefined> {
  const path = flags.policyFile ?? paths.policy;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && flags.policyFile === undefined) return undefined;
    throw new ClusterError("AUDIT_POLICY_UNREADABLE", `cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (text === undefined) return undefined;
  const policy = policyOf(path, text);
  const { clock, logger, print } = effects;
  if (flags.logPath === "-") {
    const write = (event: JsonObject) => print(JSON.stringify(event));
    return { options: { policy, sink: { write } }, [Symbol.asyncDispose]: async () => {} };
  }
  const limits = {
    maxBytes: (flags.maxSize ?? 100) * mebibyte,
    maxBackups: flags.maxBackup ?? 0,
    maxAgeMs: (flags.maxAge ?? 0) * dayMs,
  };
  const onError = (error: unknown) => logger.error(`the audit log cannot be written: ${describeError(error)}`);
  const file = await RotatingFile.open(flags.logPath ?? paths.log, limits, { now: () => clock.now(), onError });
  return {
    options: { policy, sink: { write: (event) => file.write(JSON.stringify(event)) } },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

function policyOf(path: string, text: string): AuditPolicy {
  try {
    return AuditPolicy.parse(text);
  } catch (error) {
    if (!(error instanceof AuditPolicyError)) throw error;
    throw new ClusterError("AUDIT_POLICY_INVALID", `${path}: ${error.message}`, { cause: error });
  }
}
