/**
 * CEL's types as the checker knows them. `dyn` is checked at run time only; a `parameter` stands for any one type within
 * one function declaration; an `object` has named fields that are found when they are asked for.
 */
export type CelType =
  | { readonly kind: PrimitiveKind; readonly maxSize?: number }
  | ListType
  | { readonly kind: "map"; readonly key: CelType; readonly value: CelType; readonly maxSize?: number }
  | { readonly kind: "optional"; readonly value: CelType }
  | { readonly kind: "type"; readonly of: CelType }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "opaque"; readonly name: string }
  | ObjectType;

export type PrimitiveKind =
  | "dyn"
  | "error"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration";

/** A list, and how Kubernetes compares and joins it where its schema says that it is a set or a map. */
export interface ListType {
  readonly kind: "list";
  readonly element: CelType;
  readonly merge?: { readonly kind: "set" } | { readonly kind: "map"; readonly keys: readonly string[] };
  /** The most elements that the schema allows. */
  readonly maxSize?: number;
}

/** A field: the type of its value, and what it is called in the object, where CEL's name for it is an escaped one. */
export interface ObjectField {
  readonly type: CelType;
  readonly property: string;
}

/** An object with declared fields: a resource's schema, `Object{…}` of a mutation, a request. */
export interface ObjectType {
  readonly kind: "object";
  /** Two object types are the same when their names are. */
  readonly name: string;
  /** `undefined` where there is no field of that name. */
  field(name: string): ObjectField | undefined;
  /** Fields that are not declared may be there and are `dyn`. */
  readonly open?: boolean;
}

const primitive = (kind: PrimitiveKind): CelType => ({ kind });

/** The types by name, and makers for those with parameters. */
export const types = {
  dyn: primitive("dyn"),
  error: primitive("error"),
  null: primitive("null"),
  bool: primitive("bool"),
  int: primitive("int"),
  uint: primitive("uint"),
  double: primitive("double"),
  string: primitive("string"),
  bytes: primitive("bytes"),
  timestamp: primitive("timestamp"),
  duration: primitive("duration"),
  list: (element: CelType): CelType => ({ kind: "list", element }),
  map: (key: CelType, value: CelType): CelType => ({ kind: "map", key, value }),
  optional: (value: CelType): CelType => ({ kind: "optional", value }),
  type: (of: CelType): CelType => ({ kind: "type", of }),
  parameter: (name: string): CelType => ({ kind: "parameter", name }),
  opaque: (name: string): CelType => ({ kind: "opaque", name }),
  object: (name: string, fields: Readonly<Record<string, CelType>>): ObjectType => ({
    kind: "object",
    name,
    field: (property) => {
      const type = Object.hasOwn(fields, property) ? fields[property] : undefined;
      return type === undefined ? undefined : { type, property };
    },
  }),
} as const;

/** A type as CEL's messages write it: `list(int)`, `map(string, dyn)`, `optional_type(string)`. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case "list":
      return `list(${typeText(type.element)})`;
    case "map":
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case "optional":
      return `optional_type(${typeText(type.value)})`;
    case "type":
      return type.of.kind === "dyn" ? "type" : `type(${typeText(type.of)})`;
    case "error":
      return "!error!";
    case "parameter":
    case "opaque":
    case "object":
      return type.name;
    default:
      return type.kind;
  }
}
