import {
  formatQuantity,
  type LabelMatcher,
  Nodes,
  type ObjectMeta,
  type ObjectRef,
  type Pod,
  Pods,
  refusals,
} from "@skiff/api";
import { type Clock, durationText, timestamp } from "@skiff/base";
import type { ResourceTable } from "../contracts.ts";
import type { UsageRate } from "./usage.ts";
import type { UsageHistory } from "./usage-history.ts";

/** The API of metrics-server. */
export const metricsGroup = "metrics.k8s.io";
export const metricsVersion = "v1beta1";
export const metricsApiVersion = `${metricsGroup}/${metricsVersion}`;

/** Quantities of what is used, by resource. */
export interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

/** What a node uses (`usage`), or a pod's containers. */
export interface Measured {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta & { readonly name: string };
  readonly timestamp: string;
  /** As in `15s`. */
  readonly window: string;
  readonly usage?: Usage;
  readonly containers?: readonly { readonly name: string; readonly usage: Usage }[];
}

/** Which objects are wanted. */
export interface MetricsSelection {
  readonly namespace: string | undefined;
  readonly labels: LabelMatcher | undefined;
  matches(ref: ObjectRef): boolean;
}

const usageOf = ({ cpuNanos, memoryBytes }: UsageRate): Usage => ({
  cpu: formatQuantity({ nanos: BigInt(cpuNanos), format: "decimalSI" }),
  memory: formatQuantity({ nanos: BigInt(Math.round(memoryBytes)) * 1_000_000_000n, format: "binarySI" }),
});

type Subject = { readonly metadata: ObjectMeta & { readonly name: string } };

/** The objects of the metrics API, made of what was measured when somebody asks for them. */
export class MetricsObjects {
  readonly #table: ResourceTable;
  readonly #history: UsageHistory;
  readonly #clock: Clock;

  constructor(parts: { readonly table: ResourceTable; readonly history: UsageHistory; readonly clock: Clock }) {
    this.#table = parts.table;
    this.#history = parts.history;
    this.#clock = parts.clock;
  }

  /** Throws 404 for a node that there is not, or of which nothing is known. */
  node(name: string): Measured {
    const found = this.#table.of(Nodes).peek({ name });
    if (found === undefined) throw refusals.notFound({ group: "", kind: "nodes", name });
    const measured = this.#node(found);
    if (measured === undefined) throw refusals.notFound({ group: metricsGroup, kind: "nodemetrics", name });
    return measured;
  }

  nodes({ labels, matches }: MetricsSelection): readonly Measured[] {
    return byName(this.#table.of(Nodes).peekAll())
      .filter(({ metadata }) => matches(metadata) && (labels?.matches(metadata.labels) ?? true))
      .flatMap((node) => this.#node(node) ?? []);
  }

  /** Throws 404 for a pod that there is not, or of which nothing is known. */
  pod(ref: ObjectRef): Measured {
    const found = this.#table.of(Pods).peek(ref);
    const name = `${ref.namespace}/${ref.name}`;
    if (found === undefined) throw refusals.notFound({ group: "", kind: "pods", name: ref.name });
    const measured = this.#pod(found);
    if (measured === undefined) throw refusals.notFound({ group: metricsGroup, kind: "podmetrics", name });
    return measured;
  }

  pods({ namespace, labels, matches }: MetricsSelection): readonly Measured[] {
    return byName(this.#table.of(Pods).peekAll(namespace))
      .filter(({ metadata }) => matches(metadata) && (labels?.matches(metadata.labels) ?? true))
      .flatMap((pod) => this.#pod(pod) ?? []);
  }

  #node(node: Subject): Measured | undefined {
    const rate = this.#history.node(node.metadata.name);
    if (rate === undefined) return undefined;
    return { ...this.#head("NodeMetrics", node, rate), usage: usageOf(rate) };
  }

  #pod({ metadata, spec, status }: Pod): Measured | undefined {
    if (spec.nodeName === undefined || status?.phase !== "Running") return undefined;
    const { name, namespace = "" } = metadata;
    const rates = this.#history.pod(spec.nodeName, { namespace, name });
    const earliest = [...(rates?.values() ?? [])].reduce<UsageRate | undefined>(
      (first, rate) => (first === undefined || rate.atMs < first.atMs ? rate : first),
      undefined,
    );
    if (rates === undefined || earliest === undefined) return undefined;
    const containers = [...rates].map(([container, rate]) => ({ name: container, usage: usageOf(rate) }));
    return { ...this.#head("PodMetrics", { metadata }, earliest), containers };
  }

  #head(kind: string, { metadata: { name, namespace, labels } }: Subject, { atMs, windowMs }: UsageRate) {
    const metadata = {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      creationTimestamp: timestamp(this.#clock.now()),
      ...(labels === undefined ? {} : { labels }),
    };
    return {
      kind,
      apiVersion: metricsApiVersion,
      metadata,
      timestamp: timestamp(atMs),
      window: durationText(windowMs),
    };
  }
}

const byName = <T extends Subject>(objects: readonly T[]): readonly T[] =>
  objects.toSorted(({ metadata: a }, { metadata: b }) =>
    a.namespace === b.namespace ? (a.name < b.name ? -1 : 1) : (a.namespace ?? "") < (b.namespace ?? "") ? -1 : 1,
  );
