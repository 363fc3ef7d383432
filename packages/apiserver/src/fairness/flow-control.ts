import {
  apiVersionOf,
  bootstrapFlowSchemas,
  bootstrapPriorityLevels,
  type FlowSchema,
  FlowSchemas,
  type PolicyRulesWithSubjects,
  type PriorityLevelConfiguration,
  PriorityLevelConfigurations,
} from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { RequestInfo, ResourceStorage, ResourceTable, UserInfo } from "../contracts.ts";
import { anyMatches, flowOf, rulesFor } from "./match.ts";
import { type Admission, PriorityLevel } from "./priority-level.ts";

/** What flow control is made of. */
export interface FlowControlOptions {
  readonly table: ResourceTable;
  readonly clock: Clock;
  /** How many requests may go on at once, lists counting for more; 600 where absent, as Kubernetes has it. */
  readonly seats?: number;
}

/** What became of the requests of a schema. */
export interface SchemaCounts {
  readonly schema: string;
  readonly level: string;
  dispatched: number;
  executing: number;
  waiting: number;
  readonly refused: { "queue-full": number; "concurrency-limit": number; "time-out": number };
}

/** Where a request belongs. */
export interface Classified {
  readonly schema: FlowSchema;
  readonly level: PriorityLevel;
  readonly flow: string;
  readonly counts: SchemaCounts;
}

/** A schema that names a user, with the rules that do. */
interface Candidate {
  readonly schema: FlowSchema;
  readonly rules: readonly PolicyRulesWithSubjects[];
  readonly level: PriorityLevel;
  readonly counts: SchemaCounts;
}

const usualSeats = 600;

/** Mandatory objects hold even before they are stored. */
const unstored = { uid: "", resourceVersion: "", creationTimestamp: "" };

const asSchema = ({ name, spec }: (typeof bootstrapFlowSchemas)[number]): FlowSchema => ({
  apiVersion: apiVersionOf(FlowSchemas),
  kind: "FlowSchema",
  metadata: { name, ...unstored },
  spec,
  status: {},
});

const asLevel = ({ name, spec }: (typeof bootstrapPriorityLevels)[number]): PriorityLevelConfiguration => ({
  apiVersion: apiVersionOf(PriorityLevelConfigurations),
  kind: "PriorityLevelConfiguration",
  metadata: { name, ...unstored },
  spec,
  status: {},
});

/**
 * API priority and fairness: each request belongs to a flow of a FlowSchema and goes on at once, waits, or is refused, as
 * the schema's priority level has room. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 *
 * Seats are lent and borrowed request by request, not by a plan that is made every ten seconds: a level has its nominal
 * seats whenever it needs them, and more for as long as others leave theirs.
 */
export class FlowControl {
  readonly #options: FlowControlOptions;
  readonly #levels = new Map<string, PriorityLevel>();
  #storages:
    | {
        readonly schemas: ResourceStorage<FlowSchema>;
        readonly levels: ResourceStorage<PriorityLevelConfiguration>;
      }
    | undefined;
  #seenSchemas: number | undefined = -1;
  #seenLevels: number | undefined = -1;
  readonly #counts = new Map<string, SchemaCounts>();
  #schemas: readonly FlowSchema[] = [];
  /** Most users are the same object from request to request. */
  #byUser = new WeakMap<UserInfo, readonly Candidate[]>();

  constructor(options: FlowControlOptions) {
    this.#options = options;
  }

  /** All levels that are configured, and those that still have requests. */
  levels(): readonly PriorityLevel[] {
    this.#follow();
    return [...this.#levels.values()];
  }

  /** Where a request belongs. */
  classify(user: UserInfo, request: RequestInfo): Classified | undefined {
    this.#follow();
    let candidates = this.#byUser.get(user);
    if (candidates === undefined) {
      candidates = this.#candidatesOf(user);
      this.#byUser.set(user, candidates);
    }
    for (const { schema, rules, level, counts } of candidates) {
      if (anyMatches(rules, request)) {
        return { schema, level, counts, flow: level.isExempt ? "" : flowOf(schema, user, request) };
      }
    }
    return undefined;
  }

  /** Lets a request in, lets it wait, or refuses it. */
  admit({ schema, level, flow, counts }: Classified, seats: number): Admission {
    const admission = level.admit(`${schema.metadata.name} ${flow}`, seats);
    switch (admission.kind) {
      case "refused":
        counts.refused[admission.reason]++;
        return admission;
      case "started":
        return { ...admission, finish: counted(counts, admission.finish) };
      case "waiting": {
        counts.waiting++;
        const leave = () => {
          counts.waiting--;
        };
        const started = admission.started.then((finish) => {
          leave();
          return counted(counts, finish);
        });
        const giveUp = () => {
          leave();
          admission.giveUp();
        };
        return { kind: "waiting", started, giveUp };
      }
    }
  }

  /** A request has given up waiting for its turn. */
  timedOut({ counts }: Classified): void {
    counts.refused["time-out"]++;
  }

  /** What became of requests so far, by schema. */
  counts(): readonly SchemaCounts[] {
    return [...this.#counts.values()];
  }

  #candidatesOf(user: UserInfo): readonly Candidate[] {
    return this.#schemas.flatMap((schema) => {
      const rules = rulesFor(schema, user);
      const name = schema.spec.priorityLevelConfiguration.name;
      const level = this.#levels.get(name);
      if (rules.length === 0 || level === undefined) return [];
      const key = `${schema.metadata.name} ${name}`;
      const counts = this.#counts.get(key) ?? newCounts(schema.metadata.name, name);
      this.#counts.set(key, counts);
      return [{ schema, rules, level, counts }];
    });
  }

  #follow(): void {
    const { table } = this.#options;
    if (this.#storages === undefined && table.find(FlowSchemas) !== undefined) {
      this.#storages = { schemas: table.of(FlowSchemas), levels: table.of(PriorityLevelConfigurations) };
    }
    const { schemas, levels } = this.#storages ?? {};
    if (schemas?.lastRevision === this.#seenSchemas && levels?.lastRevision === this.#seenLevels) return;
    this.#seenSchemas = schemas?.lastRevision;
    this.#seenLevels = levels?.lastRevision;
    this.#configure(withMandatory(levels?.peekAll() ?? [], bootstrapPriorityLevels, asLevel));
    const all = withMandatory(schemas?.peekAll() ?? [], bootstrapFlowSchemas, asSchema);
    this.#schemas = all.filter(({ spec }) => this.#levels.has(spec.priorityLevelConfiguration.name)).sort(byPrecedence);
    this.#byUser = new WeakMap();
  }

  #configure(configs: readonly PriorityLevelConfiguration[]): void {
    const { clock, seats = usualSeats } = this.#options;
    const pool = { free: () => this.#freeSeats() };
    const names = new Set<string>();
    for (const config of configs) {
      const { name } = config.metadata;
      names.add(name);
      const known = this.#levels.get(name);
      if (known === undefined) this.#levels.set(name, new PriorityLevel(config, clock, pool));
      else known.configure(config);
    }
    // A level that is gone serves those that it has let in or lets wait; new requests no longer come to it.
    for (const [name, level] of this.#levels) {
      if (!names.has(name) && level.executing === 0 && level.waiting === 0) this.#levels.delete(name);
    }
    const sharesOf = ({ spec }: PriorityLevelConfiguration) =>
      (spec.limited ?? spec.exempt)?.nominalConcurrencyShares ?? 0;
    const all = [...this.#levels.values()];
    const sum = Math.max(
      1,
      all.reduce((total, { config }) => total + sharesOf(config), 0),
    );
    for (const level of all) {
      const nominal = Math.ceil((seats * sharesOf(level.config)) / sum);
      const { limited, exempt } = level.config.spec;
      const lendable = Math.round((nominal * ((limited ?? exempt)?.lendablePercent ?? 0)) / 100);
      const percent = limited?.borrowingLimitPercent;
      const borrowable = percent === undefined ? seats : Math.round((nominal * percent) / 100);
      level.share({ nominal, lendable, borrowable });
    }
  }

  #freeSeats(): number {
    let free = 0;
    for (const level of this.#levels.values()) free += level.lent - (level.isExempt ? 0 : level.borrowed);
    return free;
  }
}

const newCounts = (schema: string, level: string): SchemaCounts => ({
  schema,
  level,
  dispatched: 0,
  executing: 0,
  waiting: 0,
  refused: { "queue-full": 0, "concurrency-limit": 0, "time-out": 0 },
});

function counted(counts: SchemaCounts, finish: () => void): () => void {
  counts.dispatched++;
  counts.executing++;
  return () => {
    counts.executing--;
    finish();
  };
}

const byPrecedence = (a: FlowSchema, b: FlowSchema): number =>
  (a.spec.matchingPrecedence ?? 0) - (b.spec.matchingPrecedence ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1);

function withMandatory<Spec, T extends { readonly metadata: { readonly name: string } }>(
  stored: readonly T[],
  known: readonly { readonly name: string; readonly mandatory: boolean; readonly spec: Spec }[],
  made: (item: { readonly name: string; readonly mandatory: boolean; readonly spec: Spec }) => T,
): readonly T[] {
  const missing = known.filter(
    ({ name, mandatory }) => mandatory && !stored.some(({ metadata }) => metadata.name === name),
  );
  return [...stored, ...missing.map(made)];
}
