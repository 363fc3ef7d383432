import type { JsonValue } from "@skiff/base";

/**
 * The one form in memory of what Kubernetes knows about a field's shape. Built-in kinds get theirs from the generated
 * notation, read a definition at a time and only when somebody asks; custom resources get theirs from the JSON schema of
 * their definition. Decoding, patches, server-side apply and the OpenAPI documents all read this form.
 */
export type Schema = ScalarSchema | AnySchema | ListSchema | MapSchema | StructSchema;

export type ScalarKind =
  | "string"
  | "boolean"
  | "int32"
  | "int64"
  | "number"
  | "bytes"
  | "quantity"
  | "time"
  | "microTime"
  | "intOrString";

/** A value without members. */
export interface ScalarSchema {
  readonly kind: ScalarKind;
}

/** Any JSON. With `object` set it must be an object, whatever its members are. */
export interface AnySchema {
  readonly kind: "any";
  readonly object: boolean;
}

export interface ListSchema {
  readonly kind: "list";
  readonly item: Schema;
  /** How server-side apply merges: as one value, as a set of scalars, or as items known by `keys`. */
  readonly listType: "atomic" | "set" | "map";
  readonly keys: readonly string[];
}

/** A map from string to values that are all alike. */
export interface MapSchema {
  readonly kind: "map";
  readonly value: Schema;
  readonly atomic: boolean;
}

/** An object with named fields. */
export interface StructSchema {
  readonly kind: "struct";
  /** Last part of its published name, as Kubernetes calls the type in messages: `DeploymentSpec`. */
  readonly name: string;
  /** Short name of its definition, as in `apps.v1.DeploymentSpec`; empty for schemas that are written in place. */
  readonly definition: string;
  /** Server-side apply treats it as one value. */
  readonly atomic: boolean;
  /** Fields that it does not name are kept, unchecked (`x-kubernetes-preserve-unknown-fields`). */
  readonly preserveUnknown: boolean;
  /** A custom resource's embedded object: `apiVersion`, `kind` and `metadata` are always there. */
  readonly embedded: boolean;
  readonly required: readonly string[];
  readonly fieldNames: readonly string[];
  /** What a field is where it is left out, as far as the schema itself says so; absent for built-in kinds. */
  defaultOf?(name: string): JsonValue | undefined;
  /** The field of that name, or `undefined` where it has none. Reads the notation on first use. */
  field(name: string): FieldSchema | undefined;
}

/** A field of an object: the shape of its value and how patches treat it. */
export interface FieldSchema {
  readonly name: string;
  readonly schema: Schema;
  /** A strategic merge patch merges the list (by `mergeKey`, or as scalars where there is none) instead of replacing it. */
  readonly merge: boolean;
  readonly mergeKey: string | undefined;
  /** A strategic merge patch replaces the object instead of merging it. */
  readonly replace: boolean;
  /** `$retainKeys` may say which fields stay. */
  readonly retainKeys: boolean;
  /** Kubernetes' own form always has the field, if only empty: it is required, or an object held by value. */
  readonly always: boolean;
}

export const anySchema: AnySchema = { kind: "any", object: false };
export const openObjectSchema: AnySchema = { kind: "any", object: true };
