import { type ContainerConfig, RuntimeError, type SandboxConfig } from "../runtime.ts";
import { pretend, type Surroundings } from "./pretend-command.ts";

/** How a simulated container behaves. */
export interface Behaviour {
  /** From the start call to its return. */
  readonly startMs: number;
  /** Said by the start call, which then fails. */
  readonly startError: string | undefined;
  /** From its start to its own end; `Infinity`: runs until stopped. */
  readonly runMs: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** From the stop signal to its end. */
  readonly stopMs: number;
  /** What it writes when it starts. */
  readonly output: string;
  /** Cores that it keeps busy. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Probes that fail. */
  readonly failing: ReadonlySet<ProbeKind>;
}

const probeKinds = ["startup", "liveness", "readiness"] as const;
/** What a kubelet may ask a container again and again. */
export type ProbeKind = (typeof probeKinds)[number];

const prefix = "skiff.dev/simulated-";
const kwokPrefix = "kwok.x-k8s.io/usage-";
const usualUsage = { cpus: 0.001, memoryBytes: 4 * 1024 * 1024 };

const factors: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** Reads `250m`, `0.5`, `64Mi`; `undefined` for what is no such amount. */
function amountOf(text: string | undefined): number | undefined {
  const [, number = "", suffix = ""] = /^(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi)?$/.exec(text ?? "") ?? [];
  return number === "" ? undefined : Number(number) * (factors[suffix] ?? 1);
}

/**
 * A container's behaviour. Annotations of the pod or the container decide, `skiff.dev/simulated-NAME`, or with `.CONTAINER` behind
 * for one container of the pod: `exit-code`, `run-ms`, `start-ms`, `stop-ms`, `start-error`, `oom` (`"true"`), `cpu` (`250m`) and
 * `memory` (`64Mi`), which KWOK calls `kwok.x-k8s.io/usage-cpu` and `usage-memory`; `startup-probe`, `liveness-probe`
 * and `readiness-probe` (`fail`; probes and hooks pass otherwise, unless they run a command that can be told). Without them a
 * simple command line (`sleep 5`, `sh -c "echo a; exit 1"`) is taken at its word; all others run until stopped.
 */
export function behaviourOf(config: ContainerConfig, sandbox: SandboxConfig, around: Surroundings): Behaviour {
  const annotations = { ...sandbox.annotations, ...config.annotations };
  const said = (name: string) => annotations[`${prefix}${name}.${config.name}`] ?? annotations[`${prefix}${name}`];
  const ms = (name: string): number | undefined => {
    const value = said(name);
    if (value === undefined) return undefined;
    const parsed = Number(value);
    if (!(parsed >= 0))
      throw new RuntimeError("INVALID_ARGUMENT", `annotation ${prefix}${name}: ${value} is no number`);
    return parsed;
  };
  const command = [...config.command, ...config.args];
  const told = command.length === 0 ? undefined : pretend(command, around);
  const exitCode = ms("exit-code");
  const ends = exitCode !== undefined || said("oom") === "true";
  return {
    startMs: ms("start-ms") ?? 0,
    startError: said("start-error"),
    runMs: ms("run-ms") ?? (ends ? 0 : (told?.durationMs ?? Number.POSITIVE_INFINITY)),
    exitCode: exitCode ?? told?.exitCode ?? 0,
    oomKilled: said("oom") === "true",
    stopMs: ms("stop-ms") ?? 0,
    cpus: amountOf(said("cpu") ?? annotations[`${kwokPrefix}cpu`]) ?? usualUsage.cpus,
    memoryBytes: amountOf(said("memory") ?? annotations[`${kwokPrefix}memory`]) ?? usualUsage.memoryBytes,
    failing: new Set(probeKinds.filter((kind) => said(`${kind}-probe`) === "fail")),
    output: told?.stdout ?? `${around.hostname} runs (simulated)\n`,
  };
}

/** Why an image cannot be pulled, judged by its name; `undefined` when it can. */
export function pullFailure(name: string): RuntimeError | undefined {
  const repository = name
    .replace(/[:@][^/]*$/, "")
    .split("/")
    .slice(1)
    .join("/");
  const words = repository.split(/[/._-]/);
  const failed = (why: string) =>
    `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${why}`;
  if (words.some((word) => /^(nosuch|missing|nonexistent|nonexisting|invalid)$/.test(word))) {
    return new RuntimeError("NOT_FOUND", failed(`${name}: not found`));
  }
  if (words.includes("forbidden")) {
    return new RuntimeError(
      "UNKNOWN",
      failed("pull access denied, repository does not exist or may require authorization"),
    );
  }
  return undefined;
}
