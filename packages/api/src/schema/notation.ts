/**
 * The compact schema that the generator writes. A field is one string, `TYPE` or `TYPE;note;note…`:
 *
 * - types: `string`, `boolean`, `int32`, `int64`, `number`, `bytes` (base64), `quantity`, `time`, `microTime`, `intOrString`,
 *   `object` (any JSON object), `any`, `@core.v1.PodSpec` (a definition), `[]TYPE` (list), `{}TYPE` (map by string).
 * - notes: `list=atomic|set|map:KEY,KEY` and `map=atomic|granular` (how server-side apply merges),
 *   `merge=KEY` or `merge` (how a strategic merge patch merges), `replace`, `retainKeys`.
 *
 * @example "[]@core.v1.Container;list=map:name;merge=name"
 */
export interface DefinitionNotation {
  /** The published name, as in `io.k8s.api.core.v1.Pod`. */
  readonly name: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  /** Server-side apply treats the object as one value. */
  readonly atomic?: boolean;
}

/** What can be done with a resource or subresource, in the words of the published document (`post` is create, `put` update). */
export type ResourceAction = "get" | "list" | "post" | "put" | "patch" | "delete" | "deletecollection" | "connect";

export interface SubresourceFact {
  readonly name: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly actions: readonly ResourceAction[];
}

/** A built-in resource as generated. */
export interface ResourceFact {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly actions: readonly ResourceAction[];
  /** Short name of its schema: `core.v1.Pod`. */
  readonly definition: string;
  readonly subresources: readonly SubresourceFact[];
}
