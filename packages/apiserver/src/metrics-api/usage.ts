/** What something has used, measured at one moment. */
export interface UsagePoint {
  readonly atMs: number;
  /** When it began; absent where that is not told. */
  readonly startedMs?: number | undefined;
  /** CPU time since then. */
  readonly cpuNanos: number;
  readonly memoryBytes: number;
}

/** A point of one container. */
export interface ContainerUsage extends UsagePoint {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** What a node and the containers on it have used. */
export interface NodeUsage {
  readonly node: UsagePoint | undefined;
  readonly containers: readonly ContainerUsage[];
}

/** Where the figures of the metrics API come from. */
export interface UsageSource {
  /** Asks one node. Rejects when it does not answer. */
  usage(nodeName: string, signal: AbortSignal): Promise<NodeUsage>;
}

/** What something used within a window of time. */
export interface UsageRate {
  /** When the window ended. */
  readonly atMs: number;
  readonly windowMs: number;
  /** Billionths of a core. */
  readonly cpuNanos: number;
  readonly memoryBytes: number;
}
