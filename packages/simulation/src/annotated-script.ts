import type { Pod } from "@skiff/api";
import type { PodScript, PodScripts } from "./pod-script.ts";

const stage = (name: string) => `${name}.stage.kwok.x-k8s.io`;
const failing = stage("pod-container-running-failed");
const usualFailureMs = 1_000;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `1m30s` in milliseconds; `undefined` for what is no such duration. */
export function durationMs(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count = "0", unit = "ms"] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    sum += Number(count) * (units[unit] ?? 1);
  }
  return Math.round(sum);
}

/**
 * What pods say of themselves in KWOK's words. Without any they run and are ready at once, and end at once where they are a
 * Job's. Annotations `STAGE.stage.kwok.x-k8s.io/delay` say when a stage is reached: `pod-create` (it runs), `pod-ready`,
 * `pod-complete`, `pod-delete`; the label `pod-container-running-failed.stage.kwok.x-k8s.io: "true"` makes the pod fail, its
 * annotations (`/delay`, `/reason`, `/message`, `/exit-code`, `/container-name`) say when and how.
 */
export const annotatedScript: PodScripts = (pod): PodScript => {
  const { annotations = {}, labels = {}, ownerReferences = [] } = pod.metadata;
  const delay = (name: string): number | undefined => durationMs(annotations[`${stage(name)}/delay`]);
  const startMs = delay("pod-create") ?? 0;
  const readyMs = startMs + (delay("pod-ready") ?? 0);
  if (labels[failing] === "true") {
    const told = (what: string) => annotations[`${failing}/${what}`];
    const container = told("container-name");
    return {
      kind: "ends",
      startMs,
      readyMs,
      endMs: readyMs + (delay("pod-container-running-failed") ?? usualFailureMs),
      exitCode: exitCodeOf(told("exit-code")),
      reason: told("reason") ?? "containerFailed",
      message: told("message") ?? "container failed",
      ...(container === undefined ? {} : { container }),
    };
  }
  const completeMs = delay("pod-complete") ?? (ownerReferences.some(({ kind }) => kind === "Job") ? 0 : undefined);
  if (completeMs === undefined) return { kind: "runs", startMs, readyMs };
  return { kind: "ends", startMs, readyMs, endMs: readyMs + completeMs, exitCode: 0 };
};

/** How long the containers of a deleted pod take to end. */
export const annotatedStopMs = ({ metadata: { annotations = {} } }: Pod): number | undefined =>
  durationMs(annotations[`${stage("pod-delete")}/delay`]);

function exitCodeOf(text: string | undefined): number {
  const code = Number(text ?? "1");
  return Number.isInteger(code) && code > 0 && code < 256 ? code : 1;
}
