import type { Container, Pod, ResourceRequirements } from "../generated/types/core-v1.ts";
import { addQuantities, compareQuantities } from "../quantity.ts";
import { isSidecar } from "./pod-state.ts";

/** Amounts by resource name, as in `{ cpu: "250m" }`. */
export type ResourceAmounts = Readonly<Record<string, string>>;

/**
 * What a node must have free for the pod: the larger of what runs in the end (containers and sidecars) and of each moment of
 * initialization (an init container beside the sidecars started before it), and the runtime's overhead on top.
 * Requests of the pod as a whole go before those of its containers.
 */
export const podRequests = (pod: Pick<Pod, "spec">): ResourceAmounts => podAmounts(pod, "requests");

/** The same where containers count for `assumed` amounts of what they do not request themselves. */
export const assumedPodRequests = (pod: Pick<Pod, "spec">, assumed: ResourceAmounts): ResourceAmounts =>
  podAmounts(pod, "requests", assumed);

/** The same for limits. Resources without a limit are absent even if other containers limit them. */
export const podLimits = (pod: Pick<Pod, "spec">): ResourceAmounts => podAmounts(pod, "limits");

function podAmounts(
  { spec }: Pick<Pod, "spec">,
  kind: "requests" | "limits",
  assumed?: ResourceAmounts,
): ResourceAmounts {
  const said = ({ resources }: { readonly resources?: ResourceRequirements | undefined }) => resources?.[kind];
  const of = (container: Container): ResourceAmounts | undefined =>
    assumed === undefined ? said(container) : { ...assumed, ...said(container) };
  let sidecars: ResourceAmounts = {};
  let initPeak: ResourceAmounts = {};
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) {
      sidecars = sum(sidecars, of(container));
      initPeak = largest(initPeak, sidecars);
    } else initPeak = largest(initPeak, sum(sidecars, of(container)));
  }
  const running = spec.containers.reduce((total, container) => sum(total, of(container)), sidecars);
  const amounts = { ...largest(running, initPeak), ...said(spec) };
  if (kind === "requests") return sum(amounts, spec.overhead);
  const limited = Object.entries(spec.overhead ?? {}).filter(([name]) => name in amounts);
  return sum(amounts, Object.fromEntries(limited));
}

const sum = (a: ResourceAmounts, b: ResourceAmounts | undefined): ResourceAmounts => merge(a, b ?? {}, addQuantities);

const largest = (a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts =>
  merge(a, b, (x, y) => (compareQuantities(x, y) >= 0 ? x : y));

function merge(a: ResourceAmounts, b: ResourceAmounts, join: (a: string, b: string) => string): ResourceAmounts {
  const merged: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const other = merged[name];
    merged[name] = other === undefined ? amount : join(other, amount);
  }
  return merged;
}
