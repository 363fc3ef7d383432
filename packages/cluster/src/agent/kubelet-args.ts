import { resolve } from "node:path";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { ClusterError } from "../settings/cluster-error.ts";

/** How the text of an option becomes a field of the kubelet's configuration. */
type Kind = "text" | "number" | "boolean" | "list" | "thresholds" | "texts" | "booleans" | "by-numa-node";

/** Options of the kubelet that are fields of its configuration as well, under the kubelet's own names. */
const fields: Readonly<Record<string, { readonly path: readonly [string, ...string[]]; readonly kind: Kind }>> = {
  "allowed-unsafe-sysctls": { path: ["allowedUnsafeSysctls"], kind: "list" },
  "anonymous-auth": { path: ["authentication", "anonymous", "enabled"], kind: "boolean" },
  "authorization-mode": { path: ["authorization", "mode"], kind: "text" },
  "container-log-max-files": { path: ["containerLogMaxFiles"], kind: "number" },
  "container-log-max-size": { path: ["containerLogMaxSize"], kind: "text" },
  "cpu-manager-policy": { path: ["cpuManagerPolicy"], kind: "text" },
  "cpu-manager-policy-options": { path: ["cpuManagerPolicyOptions"], kind: "texts" },
  "enable-debugging-handlers": { path: ["enableDebuggingHandlers"], kind: "boolean" },
  "eviction-hard": { path: ["evictionHard"], kind: "thresholds" },
  "eviction-max-pod-grace-period": { path: ["evictionMaxPodGracePeriod"], kind: "number" },
  "eviction-minimum-reclaim": { path: ["evictionMinimumReclaim"], kind: "texts" },
  "eviction-pressure-transition-period": { path: ["evictionPressureTransitionPeriod"], kind: "text" },
  "eviction-soft": { path: ["evictionSoft"], kind: "thresholds" },
  "eviction-soft-grace-period": { path: ["evictionSoftGracePeriod"], kind: "texts" },
  "feature-gates": { path: ["featureGates"], kind: "booleans" },
  "image-gc-high-threshold": { path: ["imageGCHighThresholdPercent"], kind: "number" },
  "image-gc-low-threshold": { path: ["imageGCLowThresholdPercent"], kind: "number" },
  "kube-reserved": { path: ["kubeReserved"], kind: "texts" },
  "max-pods": { path: ["maxPods"], kind: "number" },
  "memory-manager-policy": { path: ["memoryManagerPolicy"], kind: "text" },
  "minimum-image-ttl-duration": { path: ["imageMinimumGCAge"], kind: "text" },
  "pod-max-pids": { path: ["podPidsLimit"], kind: "number" },
  "reserved-cpus": { path: ["reservedSystemCPUs"], kind: "text" },
  "reserved-memory": { path: ["reservedMemory"], kind: "by-numa-node" },
  "resolv-conf": { path: ["resolvConf"], kind: "text" },
  "serialize-image-pulls": { path: ["serializeImagePulls"], kind: "boolean" },
  "streaming-connection-idle-timeout": { path: ["streamingConnectionIdleTimeout"], kind: "text" },
  "system-reserved": { path: ["systemReserved"], kind: "texts" },
  "topology-manager-policy": { path: ["topologyManagerPolicy"], kind: "text" },
  "topology-manager-policy-options": { path: ["topologyManagerPolicyOptions"], kind: "texts" },
  "topology-manager-scope": { path: ["topologyManagerScope"], kind: "text" },
};

/** Options that name files; the agent works in another folder than the command. */
const files = { "image-credential-provider-config": "config", "image-credential-provider-bin-dir": "folder" } as const;
const isFileOption = (name: string): name is keyof typeof files => name in files;

const bad = (name: string, why: string): ClusterError =>
  new ClusterError("BAD_OPTION", `--kubelet-arg ${name}: ${why}`);

/** What the options of the kubelet say. */
export interface KubeletArgs {
  /** Fields of the configuration, which count more than those of its file. */
  readonly configuration: JsonObject;
  /** Where a CredentialProviderConfig lies (a file, or a folder of several), and the programs it names. */
  readonly credentialProviders?: { readonly config: string; readonly folder: string };
}

/** Makes the paths in an option absolute; throws `ClusterError` for one that is not known or not well-formed. */
export function absoluteKubeletArg(arg: string): string {
  parseKubeletArgs([arg], { whole: false });
  const [name = "", value = ""] = split(arg);
  return isFileOption(name) ? `${name}=${resolve(value)}` : `${name}=${value}`;
}

function split(arg: string): readonly [string, string] {
  const plain = arg.replace(/^--/, "");
  const equals = plain.indexOf("=");
  if (equals <= 0) throw bad(arg, "is to be NAME=VALUE, as in max-pods=200");
  return [plain.slice(0, equals), plain.slice(equals + 1)];
}

/** Reads options as in `max-pods=200`. Throws `ClusterError`. `whole`: those that belong together must all be there. */
export function parseKubeletArgs(args: readonly string[], { whole }: { readonly whole: boolean }): KubeletArgs {
  const configuration: JsonObject = {};
  const found: { config?: string; folder?: string } = {};
  for (const [name, value] of args.map(split)) {
    const field = fields[name];
    if (isFileOption(name)) found[files[name]] = value;
    else if (field === undefined)
      throw bad(name, `is not known here; known are ${[...Object.keys(fields), ...Object.keys(files)].join(", ")}`);
    else put(configuration, field.path, fieldValue(name, field.kind, value));
  }
  const { config, folder } = found;
  if (config !== undefined && folder !== undefined) return { configuration, credentialProviders: { config, folder } };
  if (whole && (config ?? folder) !== undefined)
    throw bad(Object.keys(files).join(" and "), "are needed both, or neither");
  return { configuration };
}

function fieldValue(name: string, kind: Kind, text: string): JsonValue {
  const itemsOf = (list: string) => list.split(",").filter((item) => item !== "");
  const pairsOf = (list: string, separator: string): [string, string][] =>
    itemsOf(list).map((item) => {
      const at = item.indexOf(separator);
      if (at <= 0) throw bad(name, `"${item}" is to be NAME${separator}VALUE`);
      return [item.slice(0, at), item.slice(at + 1)];
    });
  const pairs = (separator: string) => pairsOf(text, separator);
  const truth = (value: string): boolean => {
    if (value === "true" || value === "false") return value === "true";
    throw bad(name, `"${value}" is to be true or false`);
  };
  switch (kind) {
    case "text":
      return text;
    case "number":
      if (/^-?\d+$/.test(text)) return Number(text);
      throw bad(name, `"${text}" is no whole number`);
    case "boolean":
      return truth(text);
    case "list":
      return itemsOf(text);
    case "thresholds":
      return Object.fromEntries(pairs("<"));
    case "texts":
      return Object.fromEntries(pairs("="));
    case "booleans":
      return Object.fromEntries(pairs("=").map(([key, value]) => [key, truth(value)]));
    case "by-numa-node":
      return text.split(";").map((part) => {
        const [, node, amounts] = /^(\d+):(.+)$/.exec(part) ?? [];
        if (node === undefined || amounts === undefined) throw bad(name, `"${part}" is to be NUMA-NODE:TYPE=AMOUNT,…`);
        return { numaNode: Number(node), limits: Object.fromEntries(pairsOf(amounts, "=")) };
      });
  }
}

/** Puts a value in its place; objects are added to what is there, as when an option is repeated. */
function put(target: JsonObject, [first, ...rest]: readonly [string, ...string[]], value: JsonValue): void {
  const [next, ...others] = rest;
  const before = target[first];
  if (next !== undefined) {
    const inner: JsonObject = isJsonObject(before) ? { ...before } : {};
    put(inner, [next, ...others], value);
    target[first] = inner;
  } else target[first] = isJsonObject(before) && isJsonObject(value) ? { ...before, ...value } : value;
}

/** A configuration with what the options say put over it, field by field. */
export function withArgs(configuration: JsonObject, over: JsonObject): JsonObject {
  const result: JsonObject = { ...configuration };
  for (const [field, value] of Object.entries(over)) {
    const before = result[field];
    const merges = ["featureGates", "authentication", "authorization"].includes(field);
    result[field] =
      merges && isJsonObject(before) && isJsonObject(value) && value !== undefined ? withArgs(before, value) : value;
  }
  return result;
}
