import { type FieldError, fieldError } from "@skiff/api";
import { type Level, levels, type Standard } from "./standard.ts";

/** What a namespace asks of its pods: what is refused, what is logged, what is warned of. */
export interface NamespacePolicy {
  readonly enforce: Standard;
  readonly audit: Standard;
  readonly warn: Standard;
}

/** Where neither labels nor configuration say anything. */
export const privilegedPolicy: NamespacePolicy = {
  enforce: { level: "privileged", version: "latest" },
  audit: { level: "privileged", version: "latest" },
  warn: { level: "privileged", version: "latest" },
};

type Labels = Readonly<Record<string, string>>;
const prefix = "pod-security.kubernetes.io/";

/** A policy from a namespace's labels, and what is wrong with them: then `enforce` is as strict as can be. */
export function namespacePolicy(
  labels: Labels | undefined,
  defaults: NamespacePolicy,
): { readonly policy: NamespacePolicy; readonly errors: readonly FieldError[] } {
  if (labels === undefined || !Object.keys(labels).some((label) => label.startsWith(prefix))) {
    return { policy: defaults, errors: [] };
  }
  const errors: FieldError[] = [];
  const read = (mode: string, usual: Standard, wrong: Level): Standard => ({
    level: levelOf(labels, mode, { usual: usual.level, wrong }, errors),
    version: versionOf(labels, mode, usual.version, errors),
  });
  const enforce = read("enforce", defaults.enforce, "restricted");
  const audit = read("audit", defaults.audit, "privileged");
  const stricter =
    labels[`${prefix}enforce`] !== undefined &&
    labels[`${prefix}warn`] === undefined &&
    levels.indexOf(enforce.level) > levels.indexOf(defaults.warn.level);
  // Whoever enforces more than is warned of wants to be warned of workloads that will make no pods.
  const warn = read("warn", stricter ? enforce : defaults.warn, "privileged");
  return { policy: { enforce, audit, warn }, errors };
}

const fieldOf = (label: string): string => `metadata.labels[${label}]`;

function levelOf(
  labels: Labels,
  mode: string,
  { usual, wrong }: { readonly usual: Level; readonly wrong: Level },
  errors: FieldError[],
): Level {
  const label = prefix + mode;
  const given = labels[label];
  if (given === undefined) return usual;
  const level = levels.find((known) => known === given);
  if (level === undefined)
    errors.push(fieldError.invalid(fieldOf(label), given, `must be one of ${levels.join(", ")}`));
  return level ?? wrong;
}

function versionOf(
  labels: Labels,
  mode: string,
  usual: Standard["version"],
  errors: FieldError[],
): Standard["version"] {
  const label = `${prefix}${mode}-version`;
  const given = labels[label];
  if (given === undefined) return usual;
  if (given === "latest") return "latest";
  const [, minor] = /^v1\.(0|[1-9][0-9]{0,5})$/.exec(given) ?? [];
  if (minor !== undefined) return Number(minor);
  errors.push(fieldError.invalid(fieldOf(label), given, 'must be "latest" or "v1.x"'));
  return "latest";
}
