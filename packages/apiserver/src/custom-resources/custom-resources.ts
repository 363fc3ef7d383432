/**
 * Custom resources at run time. What a CustomResourceDefinition says is served from the moment on that the definition is
 * established, by the same code as everything else; its names are decided, its conditions kept, its instances removed with it.
 */
import {
  type CustomResourceDefinition,
  CustomResourceDefinitions,
  isConflict,
  isNotFound,
  type KubeObject,
} from "@skiff/api";
import { Background, type Clock, describeError, jsonEqual, type Logger, type Random } from "@skiff/base";
import type { ResourceStorage, WriteContext } from "../contracts.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import type { StorageTable } from "../storage/storage-table.ts";
import type { WebhookClient } from "../webhooks/webhook-client.ts";
import { decideNames } from "./accept-names.ts";
import { approvalCondition } from "./api-approval.ts";
import { type ConditionText, conditionOf, holds, sameCondition, withCondition } from "./conditions.ts";
import { instancesOf, removeInstances } from "./remove-instances.ts";
import { overlapsBuiltIn, ServedDefinitions } from "./served-definitions.ts";

export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

/** What custom resources work with. */
export interface CustomResourcesOptions {
  readonly table: StorageTable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** Asks the webhooks that make versions of each other. */
  readonly webhooks: WebhookClient;
}

const context: WriteContext = {
  user: { name: "system:apiserver", groups: ["system:masters"] },
  fieldManager: "kube-apiserver",
  dryRun: false,
  fieldValidation: "Ignore",
  warn() {},
};

/** A failed step is tried again after so long. */
const retryMs = 1_000;

/** Follows the definitions of a table, from construction until disposal. */
export class CustomResources implements AsyncDisposable {
  readonly #options: CustomResourcesOptions;
  readonly #definitions: ResourceStorage<CustomResourceDefinition>;
  readonly #served: ServedDefinitions;
  readonly #background: Background;
  readonly #listening: Disposable[] = [];
  /** Instances of definitions that are going. */
  readonly #emptying = new Map<string, Disposable>();
  readonly #pending = new Set<string>();
  #working = false;

  constructor(options: CustomResourcesOptions) {
    const { table, logger } = options;
    this.#options = options;
    this.#definitions = table.of(CustomResourceDefinitions);
    this.#background = new Background({ logger });
    const { webhooks, random } = options;
    this.#served = new ServedDefinitions(table, { webhooks, random, signal: this.#background.signal });
    for (const definition of this.#definitions.peekAll()) this.#hear(definition.metadata.name, definition);
    const storage = table.find(CustomResourceDefinitions);
    if (storage === undefined) return;
    this.#listening.push(
      storage.cache.listen(({ key }) => {
        const name = key.slice(storage.prefix.length);
        this.#hear(name, this.#definitions.peek({ name }));
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listening of [...this.#listening, ...this.#emptying.values()]) listening[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
  }

  #hear(name: string, definition: CustomResourceDefinition | undefined): void {
    try {
      this.#served.follow(name, definition);
    } catch (error) {
      // One definition that cannot be read must not keep all others from being served.
      this.#options.logger.error(`cannot serve the definition ${name}: ${describeError(error)}`, { error });
    }
    this.#look(name);
  }

  #look(name: string): void {
    this.#pending.add(name);
    if (this.#working || this.#background.signal.aborted) return;
    this.#working = true;
    this.#background.run("custom resource definitions", async (signal) => {
      // What is written in answer to an event is written after all have heard of it.
      await Promise.resolve();
      for (const next of this.#pending) {
        if (signal.aborted) break;
        this.#pending.delete(next);
        await this.#attend(next);
      }
      this.#working = false;
    });
  }

  async #attend(name: string): Promise<void> {
    try {
      const definition = this.#definitions.peek({ name });
      if (definition === undefined) this.#gone(name);
      else if (definition.metadata.deletionTimestamp !== undefined) await this.#empty(definition);
      else await this.#keepConditions(definition);
    } catch (error) {
      // Somebody else was faster: their change is heard of.
      if (isConflict(error) || isNotFound(error)) return;
      this.#options.logger.warn(`cannot attend to the definition ${name}: ${describeError(error)}`);
      this.#background.run("trying again", async (signal) => {
        await this.#options.clock.sleep(retryMs, signal);
        this.#look(name);
      });
    }
  }

  #gone(name: string): void {
    this.#emptying.get(name)?.[Symbol.dispose]();
    this.#emptying.delete(name);
    this.#lookAtGroup(name.slice(name.indexOf(".") + 1), name);
  }

  /** Names that were given up may be taken by others. */
  #lookAtGroup(group: string, except: string): void {
    for (const { metadata, spec } of this.#definitions.peekAll()) {
      if (spec.group === group && metadata.name !== except) this.#look(metadata.name);
    }
  }

  async #keepConditions(definition: CustomResourceDefinition): Promise<void> {
    const { name } = definition.metadata;
    const { group } = definition.spec;
    const others = this.#definitions
      .peekAll()
      .filter(({ metadata, spec }) => spec.group === group && metadata.name !== name);
    const decision = decideNames(definition, others);
    if (decision !== undefined) {
      await this.#setStatus(name, decision.conditions, (status) => {
        status.acceptedNames = decision.acceptedNames;
      });
      this.#lookAtGroup(group, name);
      return;
    }
    const approval = approvalCondition(definition);
    if (approval !== undefined && !sameCondition(conditionOf(definition, approval.type), approval)) {
      return await this.#setStatus(name, [approval]);
    }
    if (holds(definition, "NamesAccepted") && !holds(definition, "Established"))
      await this.#setStatus(name, [established]);
  }

  async #setStatus(
    name: string,
    conditions: readonly ConditionText[],
    change: (status: CustomResourceDefinition["status"]) => void = () => {},
  ): Promise<void> {
    const nowMs = this.#options.clock.now();
    await this.#writeStatus(name, (current) => {
      const status = { ...current.status };
      change(status);
      const next = withConditions({ ...current, status }, conditions, nowMs);
      return jsonEqual(next.status, current.status) ? current : next;
    });
  }

  /** Definitions are written at their status only: nobody judges them anew who has let them in. */
  async #writeStatus(
    name: string,
    change: (current: CustomResourceDefinition) => CustomResourceDefinition,
  ): Promise<void> {
    await this.#definitions.modify({ name }, change, { ...context, subresource: "status" });
  }

  /** Deletes the instances; the definition goes with the last of them. */
  async #empty(definition: CustomResourceDefinition): Promise<void> {
    const { name, finalizers = [] } = definition.metadata;
    if (!finalizers.includes(cleanupFinalizer)) return;
    if (!holds(definition, "Established")) {
      return await this.#release(name, neverEstablished);
    }
    if (overlapsBuiltIn(this.#options.table, definition)) {
      return await this.#release(name, overlapping);
    }
    if (conditionOf(definition, "Terminating")?.reason === pendingReason) {
      return await this.#setStatus(name, [inProgress]);
    }
    const instances = instancesOf(this.#options.table, definition);
    if ((await removeInstances(instances, context)) > 0) return this.#awaitEmpty(name, instances);
    await this.#release(name, completed);
  }

  #awaitEmpty(name: string, { cache }: ObjectStorage): void {
    if (this.#emptying.has(name)) return;
    this.#emptying.set(
      name,
      cache.listen(() => {
        if (cache.size === 0) this.#look(name);
      }),
    );
    if (cache.size === 0) this.#look(name);
  }

  /** Nothing of ours holds the definition any more: it goes, unless others hold it, who then see why. */
  async #release(name: string, why: ConditionText): Promise<void> {
    const nowMs = this.#options.clock.now();
    await this.#writeStatus(name, (current) => {
      const finalizers = (current.metadata.finalizers ?? []).filter((one) => one !== cleanupFinalizer);
      return withConditions({ ...current, metadata: { ...current.metadata, finalizers } }, [why], nowMs);
    });
  }
}

function withConditions(
  definition: CustomResourceDefinition,
  conditions: readonly ConditionText[],
  nowMs: number,
): CustomResourceDefinition {
  const before = definition.status?.conditions ?? [];
  const all = conditions.reduce((known, condition) => withCondition(known, condition, nowMs), before);
  return { ...definition, status: { ...definition.status, conditions: all } };
}

/** Marks a definition whose deletion begins: its instances are to go first. */
export function holdDefinition(definition: KubeObject, nowMs: number): void {
  const { metadata } = definition;
  if (!metadata.finalizers?.includes(cleanupFinalizer)) {
    metadata.finalizers = [...(metadata.finalizers ?? []), cleanupFinalizer];
  }
  if (isDefinition(definition)) {
    const { status } = definition;
    definition.status = { ...status, conditions: withCondition(status?.conditions ?? [], pending, nowMs) };
  }
}

const isDefinition = (object: KubeObject): object is CustomResourceDefinition =>
  object.kind === CustomResourceDefinitions.kind;

const pendingReason = "InstanceDeletionPending";
const terminating = { type: "Terminating" } as const;
const pending: ConditionText = {
  ...terminating,
  status: "True",
  reason: pendingReason,
  message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
};
const inProgress: ConditionText = {
  ...terminating,
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};
const completed: ConditionText = {
  ...terminating,
  status: "False",
  reason: "InstanceDeletionCompleted",
  message: "removed all instances",
};
const overlapping: ConditionText = {
  ...terminating,
  status: "False",
  reason: "OverlappingBuiltInResource",
  message: "instances overlap with built-in resources in storage",
};
const neverEstablished: ConditionText = {
  ...terminating,
  status: "False",
  reason: "NeverEstablished",
  message: "resource was never established",
};
const established: ConditionText = {
  type: "Established",
  status: "True",
  reason: "InitialNamesAccepted",
  message: "the initial names have been accepted",
};
