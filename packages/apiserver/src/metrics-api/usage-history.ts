import type { NodeUsage, UsagePoint, UsageRate } from "./usage.ts";

/** Of a container that has just begun its beginning is the earlier point; younger ones say too little. */
const freshestMs = 10_000;

interface Points {
  readonly last: UsagePoint;
  readonly previous: UsagePoint | undefined;
}

interface NodePoints {
  readonly node: Points | undefined;
  /** By `NAMESPACE/POD`, then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Points>>;
}

/** The last two points of everything that was measured: what is used is the difference between them. */
export class UsageHistory {
  readonly #everyMs: number;
  readonly #nodes = new Map<string, NodePoints>();

  /** `everyMs`: how often points come. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  get isEmpty(): boolean {
    return this.#nodes.size === 0;
  }

  record(name: string, { node, containers }: NodeUsage): void {
    const before = this.#nodes.get(name);
    const pods = new Map<string, Map<string, Points>>();
    for (const point of containers) {
      const key = `${point.namespace}/${point.pod}`;
      const old = before?.pods.get(key)?.get(point.container);
      const pod = pods.get(key) ?? new Map<string, Points>();
      pods.set(key, pod.set(point.container, following(old, point, this.#everyMs)));
    }
    this.#nodes.set(name, {
      node: node === undefined ? undefined : following(before?.node, node, this.#everyMs),
      pods,
    });
  }

  /** What is not told any more is not known. */
  forget(name: string): void {
    this.#nodes.delete(name);
  }

  nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  node(name: string): UsageRate | undefined {
    const points = this.#nodes.get(name)?.node;
    return points === undefined ? undefined : rateOf(points);
  }

  /** By container; `undefined` while any of them is not known. */
  pod(nodeName: string, of: { readonly namespace: string; readonly name: string }): Map<string, UsageRate> | undefined {
    const containers = this.#nodes.get(nodeName)?.pods.get(`${of.namespace}/${of.name}`);
    if (containers === undefined) return undefined;
    const rates = new Map<string, UsageRate>();
    for (const [name, points] of containers) {
      const rate = rateOf(points);
      if (rate === undefined) return undefined;
      rates.set(name, rate);
    }
    return rates;
  }
}

function following(old: Points | undefined, last: UsagePoint, everyMs: number): Points {
  const { startedMs, atMs } = last;
  const ageMs = startedMs === undefined ? Number.POSITIVE_INFINITY : atMs - startedMs;
  if (startedMs !== undefined && ageMs >= freshestMs && ageMs < everyMs) {
    return { last, previous: { ...last, atMs: startedMs, cpuNanos: 0 } };
  }
  // A container that began anew counts from nothing.
  if (old === undefined || (startedMs ?? 0) >= old.last.atMs) return { last, previous: undefined };
  return atMs > old.last.atMs ? { last, previous: old.last } : old;
}

function rateOf({ last, previous }: Points): UsageRate | undefined {
  if (previous === undefined || last.cpuNanos < previous.cpuNanos) return undefined;
  const windowMs = last.atMs - previous.atMs;
  const cpuNanos = Math.round(((last.cpuNanos - previous.cpuNanos) * 1000) / windowMs);
  return { atMs: last.atMs, windowMs, cpuNanos, memoryBytes: last.memoryBytes };
}
