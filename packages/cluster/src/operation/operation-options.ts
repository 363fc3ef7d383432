import type { RuntimeConfig } from "@skiff/api";
import type { ApiServerFlags } from "../identity/api-server-flags.ts";
import { badOption, durationMs } from "../identity/config-file.ts";

/** Of the audit log. */
export interface AuditFlags {
  /** File with a `Policy` of `audit.k8s.io/v1`; `audit-policy.yaml` in the cluster's folder, should it be there, where absent. */
  readonly policyFile?: string;
  /** Where events go; `audit.log` among the cluster's logs where absent. */
  readonly logPath?: string;
  /** Mebibytes after which a file is put aside; 0 for never. */
  readonly maxSize: number;
  /** How many files that were put aside are kept; 0: all. */
  readonly maxBackup: number;
  /** For how many days they are kept; 0: for ever. */
  readonly maxAge: number;
  /** Kubeconfig of a server that events are sent to as well; to none where absent. */
  readonly webhookFile?: string;
  /** How long events wait for others before they are sent. */
  readonly webhookWaitMs: number;
}

/** How the API server is operated. */
export interface OperationOptions {
  readonly audit: AuditFlags;
  /** How many requests may go on at once. */
  readonly maxRequestsInFlight: number;
  /** So long the server goes on answering after it said that it is not ready any more. */
  readonly shutdownDelayMs: number;
  /** How often a request over HTTP/2 makes its client open another connection: 0 to 0.02. */
  readonly goAwayChance: number;
  /** Versions and resources that are served, or not, otherwise than usual. */
  readonly runtimeConfig: RuntimeConfig;
}

/** Reads what the options of a cluster say of its operation. Throws `ClusterError` for nonsense. */
export function operationOptions(flags: ApiServerFlags): OperationOptions {
  const one = (name: string): string | undefined => flags[name]?.at(-1);
  const number = (name: string, usual: number, form = /^\d+$/): number => {
    const text = one(name);
    if (text === undefined) return usual;
    if (!form.test(text)) throw badOption(name, `${JSON.stringify(text)} is no number that it may be`);
    return Number(text);
  };
  const goAwayChance = number("goaway-chance", 0, /^\d*\.?\d+$/);
  if (goAwayChance > 0.02) throw badOption("goaway-chance", "must be from 0 to 0.02");
  const duration = (name: string, usualMs: number): number => {
    const text = one(name);
    const found = text === undefined ? usualMs : durationMs(text);
    if (found === undefined) throw badOption(name, `${JSON.stringify(text)} is no duration, as 2m or 30s`);
    return found;
  };
  const [policyFile, logPath] = [one("audit-policy-file"), one("audit-log-path")];
  const webhookFile = one("audit-webhook-config-file");
  return {
    audit: {
      ...(policyFile === undefined ? {} : { policyFile }),
      ...(logPath === undefined ? {} : { logPath }),
      maxSize: number("audit-log-maxsize", 100),
      maxBackup: number("audit-log-maxbackup", 0),
      maxAge: number("audit-log-maxage", 0),
      ...(webhookFile === undefined ? {} : { webhookFile }),
      webhookWaitMs: duration("audit-webhook-batch-max-wait", 30_000),
    },
    maxRequestsInFlight: number("max-requests-inflight", 400) + number("max-mutating-requests-inflight", 200),
    shutdownDelayMs: duration("shutdown-delay-duration", 0),
    goAwayChance,
    runtimeConfig: runtimeConfigOf(flags["runtime-config"] ?? []),
  };
}

/** `certificates.k8s.io/v1beta1=true,api/alpha`: what has no value is switched on. */
function runtimeConfigOf(texts: readonly string[]): RuntimeConfig {
  const terms = texts.flatMap((text) => text.split(",")).filter((term) => term !== "");
  return Object.fromEntries(
    terms.map((term): [string, boolean] => {
      const [, key = "", value = "true"] = /^([^=]+)(?:=(.*))?$/.exec(term) ?? [];
      if (key === "" || (value !== "true" && value !== "false")) {
        throw badOption("runtime-config", `${JSON.stringify(term)} is not KEY=true or KEY=false`);
      }
      return [key, value === "true"];
    }),
  );
}
