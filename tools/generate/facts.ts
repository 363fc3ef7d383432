/** The shape of the two fact files that the generator reads: Kubernetes' published OpenAPI document without its prose. */
export interface FactSchema {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly items?: FactSchema;
  readonly additionalProperties?: FactSchema;
  readonly properties?: Readonly<Record<string, FactSchema>>;
  readonly required?: readonly string[];
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-group-version-kind"?: readonly GroupVersionKindFact[];
}

export interface GroupVersionKindFact {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ResourceFact {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly actions: readonly string[];
  readonly kind: GroupVersionKindFact;
}

export interface Facts {
  readonly kubernetes: string;
  readonly definitions: Readonly<Record<string, FactSchema>>;
  readonly resources: readonly ResourceFact[];
}

/** Where definitions of the published document live, and the short name we give each place. */
const places: readonly (readonly [prefix: string, short: string])[] = [
  ["io.k8s.apimachinery.pkg.apis.meta.", "meta."],
  ["io.k8s.apimachinery.pkg.", "machinery."],
  ["io.k8s.apiextensions-apiserver.pkg.apis.", ""],
  ["io.k8s.kube-aggregator.pkg.apis.", ""],
  ["io.k8s.api.", ""],
];

/** `io.k8s.api.core.v1.Pod` → `core.v1.Pod`. */
export function shortName(definition: string): string {
  for (const [prefix, short] of places) {
    if (definition.startsWith(prefix)) return short + definition.slice(prefix.length);
  }
  throw new Error(`unknown place of definition ${definition}`);
}

/** Definitions that are values rather than objects: the type they are written as in the compact schema. */
const scalars: Readonly<Record<string, string>> = {
  "machinery.api.resource.Quantity": "quantity",
  "machinery.util.intstr.IntOrString": "intOrString",
  "machinery.runtime.RawExtension": "object",
  "meta.v1.FieldsV1": "object",
  "meta.v1.Patch": "object",
  "meta.v1.Time": "time",
  "meta.v1.MicroTime": "microTime",
  "apiextensions.v1.JSON": "any",
  "apiextensions.v1.JSONSchemaPropsOrArray": "any",
  "apiextensions.v1.JSONSchemaPropsOrBool": "any",
  "apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
};

/** The scalar that a definition stands for, or `undefined` for an object. */
export const scalarOf = (short: string): string | undefined => scalars[short];

/** The short name that a `$ref` points to. */
export const refName = (ref: string): string => shortName(ref.replace("#/definitions/", ""));
