import type { JsonObject } from "@skiff/base";
import type { StructuralSchema } from "./custom-resources/structural-schema.ts";
import type { FieldError } from "./field-error.ts";
import type { DynamicObject, KubeObject } from "./object.ts";
import type { ResourceAction } from "./schema/notation.ts";
import type { StructSchema } from "./schema/schema.ts";

/** What the rules of a kind may ask about the moment. */
export interface RuleContext {
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** Who creates the object, where that is written into it. */
  readonly user?: {
    readonly name: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

/** The rules of a subresource that is a part of the object, as `approval` is. As methods, for the reason that definitions have them. */
export interface PartRules<T extends KubeObject = KubeObject> {
  /** Before an update through it: keeps everything that it does not change. */
  prepare(object: T, old: T, context: RuleContext): void;
  validate(object: T, old: T): readonly FieldError[];
}

/** A column of the table that `kubectl get` prints. */
export interface Column<T extends KubeObject = KubeObject> {
  readonly title: string;
  /** As the Table says it; `string` where absent. */
  readonly type?: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  /** 0 (where absent): always shown; 1: only with `-o wide`. */
  readonly priority?: number;
  readonly description?: string;
  value(object: T, context: RuleContext): string | number | boolean | null;
}

/** A field that `--field-selector` may ask for. */
export interface SelectableField<T extends KubeObject = KubeObject> {
  /** As in `spec.nodeName`. */
  readonly path: string;
  /** The empty string where the object does not say. */
  value(object: T): string;
}

/** A part of an object, or an action on it, with an address of its own: `/status`, `/scale`, `/exec`. */
export interface SubresourceDefinition {
  readonly name: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly actions: readonly ResourceAction[];
}

/**
 * Everything the platform knows of a kind, in one value. The API server, `kubectl`'s discovery, tables, the client and
 * controllers read it; nothing else in the code base switches on a kind's name. Custom resources become definitions of
 * the same type at run time.
 *
 * The rules are methods, not function members, so that a definition of `Pod` is also one of `KubeObject` (TypeScript compares
 * methods bivariantly): the server holds all kinds in one table and hands each rule only objects of its own kind.
 *
 * Rules get objects that they may change (`defaults`, `prepare…`) or must not change (`validate…`, `columns`).
 */
export interface ResourceDefinition<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly scope: "namespaced" | "cluster";
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly actions: readonly ResourceAction[];
  readonly subresources: readonly SubresourceDefinition[];
  /** Short name of the schema, as in `core.v1.Pod`; a custom resource brings the schema itself in `custom`. */
  readonly schema: string;
  /** What only custom resources have. */
  readonly custom?: CustomForm;
  /**
   * Kinds that are views of one stored kind name it here (`events.k8s.io/v1` Events are stored as core Events), and
   * how to get there and back. `undefined`: stored as it is.
   */
  readonly storedAs: StoredAs | undefined;
  /** Every answer carries it as a `Warning`: the version is deprecated or, elsewhere, gone. */
  readonly deprecationWarning?: string;
  /** Who deletes it without a word on its dependents leaves them behind, as clients of old know it. Else they go too. */
  readonly orphansByDefault?: boolean;
  /** Left out of the OpenAPI documents. */
  readonly unpublished?: boolean;
  /** Fills in what the client left out, as Kubernetes defaults this kind. Runs on creation, update and apply. */
  defaults(object: T): void;
  /** The part of `defaults` that fills in the status. Absent where the two cannot be told apart. */
  defaultStatus?(object: T): void;
  /** Before creation: drops what a client may not set (status), fills in what is computed once. */
  prepareCreate(object: T, context: RuleContext): void;
  /** Before a main update: keeps `status` of the old object, and whatever else clients may not change. */
  prepareUpdate(object: T, old: T, context: RuleContext): void;
  /** Before a status update: keeps everything of the old object but status (and labels, annotations as Kubernetes has it). */
  prepareStatusUpdate(object: T, old: T, context: RuleContext): void;
  /**
   * Findings in an object as it is to be (metadata is validated by the server for all kinds alike). `old` is what it was,
   * absent on creation: some rules let pass what has been there before.
   */
  validate(object: T, old?: T): readonly FieldError[];
  /** Findings in a change: immutable fields and the like. The server runs `validate` on the new object too. */
  validateUpdate(object: T, old: T): readonly FieldError[];
  validateStatusUpdate(object: T, old: T): readonly FieldError[];
  /** What is allowed but seldom meant, shown as `Warning` headers. `old` is absent on creation. Absent: nothing ever. */
  warnings?(object: T, old?: T): readonly string[];
  /** Rules of further subresources that are written like the object, by name. */
  readonly parts?: Readonly<Record<string, PartRules<T>>>;
  /** How the name itself must look. */
  validateName(name: string, prefix: boolean): readonly string[];
  /** True when a main update changed what `metadata.generation` counts. */
  changesGeneration(object: T, old: T): boolean;
  /** The columns after `Name`; the server adds `Age` where a kind has no columns of its own. */
  readonly columns: readonly Column<T>[];
  /** Field selectors beside `metadata.name` and `metadata.namespace`. */
  readonly selectableFields: readonly SelectableField<T>[];
  /** Seconds that deletion waits, where the client has `asked` for some or not; absent: objects of this kind are deleted at once. */
  gracePeriodSeconds?(object: T, asked?: number): number;
}

/** What the published documents tell of a resource. */
export type DescribedResource = Pick<
  ResourceDefinition,
  | "group"
  | "version"
  | "kind"
  | "listKind"
  | "plural"
  | "scope"
  | "actions"
  | "subresources"
  | "schema"
  | "custom"
  | "selectableFields"
>;

/** Where `/scale` of a custom resource finds its numbers: simple paths, as in `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  /** Of a selector in its text form. */
  readonly labelSelectorPath?: string | undefined;
}

/** The schema of a custom resource, in the forms that it is needed in. Each is made when first asked for. */
export interface CustomForm {
  /** For decoding, patches and apply. */
  readonly struct: StructSchema;
  /** As its definition has it; `undefined` where it has none. */
  readonly openApi: JsonObject | undefined;
  /** For pruning, defaults and validation. */
  readonly structural: StructuralSchema;
  readonly scale: ScalePaths | undefined;
  readonly hasStatus: boolean;
}

export interface StoredAs {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** From this version's form to the stored one. Both make a new object, or give the same where nothing changes. */
  toStored(object: DynamicObject): DynamicObject | Promise<DynamicObject>;
  /** Not to be called for states that are `remote`. */
  fromStored(stored: DynamicObject): DynamicObject;
  /** Where a webhook must be asked for other versions. */
  readonly remote?: RemoteConversion;
}

/** Versions that only a webhook can make of each other. */
export interface RemoteConversion {
  /** True for states that were stored in another version. */
  isForeign(stored: DynamicObject): boolean;
  /** The states in this version's form, in the same order. Rejects with `StatusError`. */
  fromStored(stored: readonly DynamicObject[]): Promise<readonly DynamicObject[]>;
}

/** `v1` or `apps/v1`. */
export const apiVersionOf = (resource: { readonly group: string; readonly version: string }): string =>
  resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;

/** `pods` or `deployments.apps`: how Kubernetes names a resource in messages. */
export const qualifiedPlural = (resource: { readonly group: string; readonly plural: string }): string =>
  resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
