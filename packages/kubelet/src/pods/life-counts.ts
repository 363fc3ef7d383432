import type { ContainerStatus, Pod, PodStatus } from "@skiff/api";
import { type Sample, sampleLine } from "../server/metric-text.ts";

type ContainerType = "container" | "init_container" | "ephemeral_container";

/** Names after `kubelet_`, with their descriptions. */
const helps = {
  started_pods_total: "Cumulative number of pods started",
  started_pods_errors_total: "Cumulative number of errors when starting pods",
  started_containers_total: "Cumulative number of containers started",
  started_containers_errors_total: "Cumulative number of errors when starting containers",
  terminated_containers_total: "Cumulative number of container terminations.",
  started_user_namespaced_pods_total:
    "Cumulative number of pods with user namespaces started. This metric will only be collected on Linux.",
  started_user_namespaced_pods_errors_total:
    "Cumulative number of errors when starting pods with user namespaces. This metric will only be collected on Linux.",
} as const;

type Counter = keyof typeof helps;

/** Counters without labels are there from the beginning. */
const plain: readonly Counter[] = [
  "started_pods_total",
  "started_pods_errors_total",
  "started_user_namespaced_pods_total",
  "started_user_namespaced_pods_errors_total",
];

const hasOwnUsers = ({ spec }: Pod): boolean => spec.hostUsers === false;

/** Counts how pods and containers begin and end, for `/metrics`. */
export class LifeCounts {
  readonly #samples = new Map<string, { readonly counter: Counter; readonly sample: Sample }>();

  constructor() {
    for (const counter of plain) this.#add(counter, {}, 0);
  }

  /** A sandbox is about to be made. */
  podStarts(pod: Pod): void {
    this.#add("started_pods_total");
    if (hasOwnUsers(pod)) this.#add("started_user_namespaced_pods_total");
  }

  /** A sandbox could not be made. */
  podFailed(pod: Pod): void {
    this.#add("started_pods_errors_total");
    if (hasOwnUsers(pod)) this.#add("started_user_namespaced_pods_errors_total");
  }

  containerStarts(pod: Pod, name: string): void {
    this.#add("started_containers_total", { container_type: typeOf(pod, name) });
  }

  /** `code` is what the container's waiting state has as its reason. */
  containerFailed(pod: Pod, name: string, code: string): void {
    this.#add("started_containers_errors_total", { container_type: typeOf(pod, name), code });
    if (hasOwnUsers(pod)) this.#add("started_user_namespaced_pods_errors_total");
  }

  /** Containers that have ended by the new status of a pod and had not by the one before. */
  statusChanged(before: PodStatus | undefined, after: PodStatus): void {
    this.#ended("init_container", before?.initContainerStatuses, after.initContainerStatuses);
    this.#ended("container", before?.containerStatuses, after.containerStatuses);
    this.#ended("ephemeral_container", before?.ephemeralContainerStatuses, after.ephemeralContainerStatuses);
  }

  #ended(type: ContainerType, before: readonly ContainerStatus[] = [], after: readonly ContainerStatus[] = []): void {
    for (const { name, state } of after) {
      const end = state?.terminated;
      if (end === undefined || before.find((one) => one.name === name)?.state?.terminated !== undefined) continue;
      const labels = { container_type: type, exit_code: String(end.exitCode), reason: end.reason ?? "" };
      this.#add("terminated_containers_total", labels);
    }
  }

  #add(counter: Counter, labels: Sample["labels"] = {}, by = 1): void {
    const key = sampleLine(counter, { labels, value: 0 });
    const value = (this.#samples.get(key)?.sample.value ?? 0) + by;
    this.#samples.set(key, { counter, sample: { labels, value } });
  }

  /** Everything that was counted, by the metric's name. */
  list(): readonly { readonly name: string; readonly help: string; readonly samples: readonly Sample[] }[] {
    const byName = Map.groupBy(this.#samples.values(), ({ counter }) => counter);
    return [...byName].map(([counter, all]) => ({
      name: `kubelet_${counter}`,
      help: `[ALPHA] ${helps[counter]}`,
      samples: all.map(({ sample }) => sample),
    }));
  }
}

function typeOf({ spec }: Pod, name: string): ContainerType {
  if (spec.initContainers?.some((one) => one.name === name)) return "init_container";
  return spec.ephemeralContainers?.some((one) => one.name === name) ? "ephemeral_container" : "container";
}
