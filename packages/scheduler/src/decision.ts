/** Why a node cannot take a pod: the first plugin that said no. */
export interface Rejection {
  readonly plugin: string;
  readonly reason: string;
  /** Removing other pods from the node could help. */
  readonly resolvable: boolean;
}

/** What one plugin made of the nodes that could have taken the pod, in the order in which they were looked at. */
export interface PluginScores {
  readonly plugin: string;
  readonly weight: number;
  /** 0 to 100, not yet weighted. */
  readonly scores: ArrayLike<number>;
}

interface VerdictParts {
  /** Names of the nodes that came into question; those from `start` on, round the end, were looked at. */
  readonly names: readonly string[];
  readonly start: number;
  /** One for each node looked at: 0 where it could take the pod, else 1 more than an index of `reasons`. */
  readonly codes: Uint16Array;
  /** May hold others besides. */
  readonly reasons: readonly Rejection[];
  readonly plugins: readonly PluginScores[];
  /** Nodes that did not come into question at all; `whole`: the pod itself was the reason, whatever the node. */
  readonly others?: { readonly names: readonly string[]; readonly rejection: Rejection; readonly whole?: boolean };
}

/** Where each node stood in a decision, a few bytes a node: names and totals are put together when somebody asks. */
export class Verdicts {
  readonly #parts: VerdictParts;
  #tally: ReadonlyMap<Rejection, number> | undefined;

  constructor(parts: VerdictParts) {
    this.#parts = parts;
  }

  /** How much memory it takes, about: in bytes. */
  get size(): number {
    const { codes, plugins } = this.#parts;
    return 200 + 2 * codes.length + plugins.reduce((sum, { scores }) => sum + scores.length, 0);
  }

  /** The nodes that could have taken the pod, as they were looked at. */
  get feasible(): readonly string[] {
    const { names, start, codes } = this.#parts;
    const result: string[] = [];
    codes.forEach((code, index) => {
      const name = names[(start + index) % names.length];
      if (name !== undefined && code === 0) result.push(name);
    });
    return result;
  }

  get plugins(): readonly PluginScores[] {
    return this.#parts.plugins;
  }

  /** Why nodes could not, by name. */
  get rejections(): ReadonlyMap<string, Rejection> {
    const { names, start, codes, reasons, others } = this.#parts;
    const result = new Map<string, Rejection>();
    codes.forEach((code, index) => {
      const name = names[(start + index) % names.length];
      const reason = reasons[code - 1];
      if (name !== undefined && reason !== undefined) result.set(name, reason);
    });
    for (const name of others?.names ?? []) result.set(name, others?.rejection ?? unknown);
    return result;
  }

  /** How many nodes were rejected for each reason. */
  get tally(): ReadonlyMap<Rejection, number> {
    this.#tally ??= this.#count();
    return this.#tally;
  }

  #count(): ReadonlyMap<Rejection, number> {
    const { codes, reasons, others } = this.#parts;
    const counts = new Uint32Array(reasons.length + 1);
    for (let index = 0; index < codes.length; index++) {
      const code = codes[index] ?? 0;
      counts[code] = (counts[code] ?? 0) + 1;
    }
    const result = new Map<Rejection, number>();
    for (const [index, reason] of reasons.entries()) {
      const count = counts[index + 1] ?? 0;
      if (count > 0) result.set(reason, count);
    }
    if (others !== undefined && others.names.length > 0) result.set(others.rejection, others.names.length);
    return result;
  }

  /** Why no node was looked at, where the pod itself was the reason. */
  get wholeReason(): string | undefined {
    const { others } = this.#parts;
    return others?.whole === true ? others.rejection.reason : undefined;
  }

  /** Weighted totals of the feasible nodes, by name; empty where there was only one. */
  get scores(): ReadonlyMap<string, number> {
    const { plugins } = this.#parts;
    if (plugins.length === 0) return new Map();
    return new Map(
      this.feasible.map((name, index) => [
        name,
        plugins.reduce((sum, { weight, scores }) => sum + weight * (scores[index] ?? 0), 0),
      ]),
    );
  }
}

const unknown: Rejection = { plugin: "", reason: "", resolvable: false };

/** Where a pod goes, or why it goes nowhere. */
export type Decision =
  | { readonly kind: "placed"; readonly node: string; readonly verdicts: Verdicts; readonly atMs: number }
  | {
      readonly kind: "unschedulable";
      readonly verdicts: Verdicts;
      readonly atMs: number;
      readonly message: string;
      /** The node where room is being made. */
      readonly nominated?: string;
    };
