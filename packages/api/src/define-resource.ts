import { deepCopy, type JsonObject, jsonEqual, present } from "@skiff/base";
import { resourceFacts } from "./generated/resources.ts";
import { createdAt } from "./kinds/columns.ts";
import { categoriesOf, shortNamesOf } from "./kinds/short-names.ts";
import type { KubeObject } from "./object.ts";
import type { ResourceDefinition, RuleContext } from "./resource-definition.ts";
import { definitionSchema } from "./schema/definition-schema.ts";
import type { ResourceFact } from "./schema/notation.ts";
import { dnsSubdomainName } from "./validation/names.ts";

type Place = "group" | "version" | "kind" | "plural";
type FromFacts =
  | "scope"
  | "actions"
  | "subresources"
  | "schema"
  | "listKind"
  | "singular"
  | "shortNames"
  | "categories";

/**
 * What is special about a kind. Everything left out follows from the generated facts and from what Kubernetes does with
 * most kinds. `prepare…` rules run after the general ones, not in place of them.
 */
export type ResourceRules<T extends KubeObject> = Pick<ResourceDefinition<T>, Place> &
  Partial<Omit<ResourceDefinition<T>, Place | FromFacts | "custom">> & {
    /** What `status` is when the object is new: Kubernetes writes numbers that may not be absent. `{}` where left out. */
    readonly emptyStatus?: JsonObject;
    /** `kept` for kinds that come into being with a status. */
    readonly statusOnCreate?: "reset" | "kept";
    /**
     * What `metadata.generation` counts: changes of `spec`, changes of anything but metadata and status, nothing after
     * the first (`created`), or the kind has none. Where left out: `spec` for kinds with a `/status`, else `none`.
     */
    readonly generation?: "spec" | "object" | "created" | "none";
  };

/** A definition made of the generated facts of a built-in resource, the general rules, and what the kind says itself. */
export function defineResource<T extends KubeObject>(rules: ResourceRules<T>): ResourceDefinition<T> {
  const fact = present(
    factsByPlace.get(placeOf(rules.group, rules.version, rules.plural)),
    `${rules.plural} of ${rules.group}/${rules.version} among the built-in resources`,
  );
  const hasStatus = fact.subresources.some(({ name }) => name === "status");
  const generation = rules.generation ?? (hasStatus ? "spec" : "none");
  return {
    group: fact.group,
    version: fact.version,
    kind: fact.kind,
    listKind: `${fact.kind}List`,
    plural: fact.plural,
    singular: fact.kind.toLowerCase(),
    scope: fact.namespaced ? "namespaced" : "cluster",
    shortNames: shortNamesOf(fact),
    categories: categoriesOf(fact),
    actions: fact.actions,
    subresources: fact.subresources,
    schema: fact.definition,
    storedAs: rules.storedAs,
    columns: rules.columns ?? [createdAt],
    selectableFields: rules.selectableFields ?? [],
    ...(rules.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: rules.gracePeriodSeconds }),
    ...(rules.orphansByDefault === undefined ? {} : { orphansByDefault: rules.orphansByDefault }),
    ...(rules.deprecationWarning === undefined ? {} : { deprecationWarning: rules.deprecationWarning }),
    ...(rules.warnings === undefined ? {} : { warnings: rules.warnings }),
    ...(rules.parts === undefined ? {} : { parts: rules.parts }),
    ...generalRules({ rules, fact, hasStatus, generation }),
  };
}

type Rule =
  | "defaults"
  | "defaultStatus"
  | "prepareCreate"
  | "prepareUpdate"
  | "prepareStatusUpdate"
  | "validate"
  | "validateUpdate"
  | "validateStatusUpdate"
  | "validateName"
  | "changesGeneration";

function generalRules<T extends KubeObject>(of: {
  readonly rules: ResourceRules<T>;
  readonly fact: ResourceFact;
  readonly hasStatus: boolean;
  readonly generation: "spec" | "object" | "created" | "none";
}): Pick<ResourceDefinition<T>, Rule> {
  const { rules, fact, hasStatus, generation } = of;
  let heldParts: readonly string[] | undefined;
  const nothing = () => [];
  return {
    defaults(object) {
      heldParts ??= partsHeldByValue(fact.definition);
      for (const part of heldParts) if (Reflect.get(object, part) === undefined) Reflect.set(object, part, {});
      rules.defaults?.(object);
      rules.defaultStatus?.(object);
    },
    defaultStatus: (object) => rules.defaultStatus?.(object),
    prepareCreate(object: T, context: RuleContext) {
      const reset = hasStatus && rules.statusOnCreate !== "kept";
      if (reset) Reflect.set(object, "status", deepCopy(rules.emptyStatus ?? {}));
      if (generation !== "none") object.metadata.generation = 1;
      rules.prepareCreate?.(object, context);
    },
    prepareUpdate(object: T, old: T, context: RuleContext) {
      if (hasStatus) shareField(object, old, "status");
      rules.prepareUpdate?.(object, old, context);
    },
    prepareStatusUpdate(object: T, old: T, context: RuleContext) {
      keepAllButStatus(object, old);
      rules.prepareStatusUpdate?.(object, old, context);
    },
    validate: (object, old) => rules.validate?.(object, old) ?? nothing(),
    validateUpdate: (object, old) => rules.validateUpdate?.(object, old) ?? nothing(),
    validateStatusUpdate: (object, old) => rules.validateStatusUpdate?.(object, old) ?? nothing(),
    validateName: rules.validateName ?? dnsSubdomainName,
    changesGeneration(object, old) {
      if (rules.changesGeneration !== undefined) return rules.changesGeneration(object, old);
      if (generation === "spec") return !jsonEqual(Reflect.get(object, "spec"), Reflect.get(old, "spec"));
      return generation === "object" && !jsonEqual(content(object), content(old));
    },
  };
}

/** Kubernetes holds these by value: an object that does not say them has them empty. */
const partsHeldByValue = (definition: string): readonly string[] =>
  definitionSchema(definition).fieldNames.filter((name) => name === "spec" || name === "status");

/** Makes `field` of `object` the very value that it is in `old`, which is frozen: what a write does not reach is not copied for it. */
function shareField(object: object, old: object, field: string): void {
  const value: unknown = Reflect.get(old, field);
  if (value === undefined) Reflect.deleteProperty(object, field);
  else Reflect.set(object, field, value);
}

/** Makes `field` of `object` what it is in `old`. */
export function keepField(object: object, old: object, field: string): void {
  const value: unknown = Reflect.get(old, field);
  if (value === undefined) Reflect.deleteProperty(object, field);
  else Reflect.set(object, field, deepCopy(value));
}

const ofItsOwn = new Set(["apiVersion", "kind", "metadata", "status"]);

/** Makes everything but type, metadata and status what it is in `old`. */
function keepAllButStatus(object: object, old: object): void {
  for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
    if (!ofItsOwn.has(field)) shareField(object, old, field);
  }
}

const content = (object: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([field]) => !ofItsOwn.has(field)));

const placeOf = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;

const factsByPlace: ReadonlyMap<string, ResourceFact> = new Map(
  resourceFacts.map((fact) => [placeOf(fact.group, fact.version, fact.plural), fact]),
);
