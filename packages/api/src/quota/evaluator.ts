import type { Pod, ScopedResourceSelectorRequirement } from "../generated/types/core-v1.ts";
import type { DeviceClass, ResourceClaim } from "../generated/types/resource-v1.ts";
import type { ResourceAmounts } from "../kinds/pod-requests.ts";
import type { KubeObject } from "../object.ts";

/** A condition of a quota on the objects that it counts. */
export type Scope = ScopedResourceSelectorRequirement;

/** What else there is, for objects that count by more than themselves. */
export interface QuotaSources {
  deviceClasses(): Iterable<DeviceClass>;
  pod(ref: { readonly namespace: string; readonly name: string }): Pod | undefined;
  resourceClaims(namespace: string): Iterable<ResourceClaim>;
}

/**
 * How the objects of one resource count for quotas. The rules are methods, as those of `ResourceDefinition` are: each is handed
 * objects of its own kind only.
 */
export interface QuotaEvaluator<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly plural: string;
  /** Whether a quota's resource is one that these objects use. */
  counts(name: string): boolean;
  /** What an object uses is not up to it alone, and has to be found out each time. */
  readonly dependsOnOthers?: boolean;
  /** What one object uses. `nowMs`: epoch milliseconds. */
  usage(object: T, nowMs: number): ResourceAmounts;
  /** Whether an object is in a scope. */
  inScope(scope: Scope, object: T): boolean;
  /** Why an object cannot be counted for the resources `required`; `undefined` where it can. */
  unmet?(required: readonly string[], object: T): string | undefined;
  /** True where a request may change what is used. */
  handles(request: {
    readonly operation: string;
    readonly subresource: string | undefined;
    readonly object: T | undefined;
    readonly oldObject: T | undefined;
  }): boolean;
}

/** The objects that a quota is for: `scopes` and `scopeSelector` in one list. */
export const scopesOf = (spec: {
  readonly scopes?: readonly string[] | undefined;
  readonly scopeSelector?: { readonly matchExpressions?: readonly Scope[] | undefined } | undefined;
}): readonly Scope[] => [
  ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })),
  ...(spec.scopeSelector?.matchExpressions ?? []),
];

/** `count/pods`, `count/deployments.apps`. */
export const countName = ({ group, plural }: { readonly group: string; readonly plural: string }): string =>
  group === "" ? `count/${plural}` : `count/${plural}.${group}`;

/** Names from before `count/…`. */
const aliases: ReadonlySet<string> = new Set(["configmaps", "resourcequotas", "replicationcontrollers", "secrets"]);

/** Counts objects, whatever they are. */
export function objectCounter(place: { readonly group: string; readonly plural: string }): QuotaEvaluator {
  const name = countName(place);
  const alias = place.group === "" && aliases.has(place.plural) ? place.plural : undefined;
  const one = { [name]: "1", ...(alias === undefined ? {} : { [alias]: "1" }) };
  return {
    ...place,
    counts: (wanted) => wanted === name || wanted === alias,
    usage: () => one,
    inScope: () => false,
    handles: ({ operation, subresource }) => operation === "CREATE" && subresource === undefined,
  };
}

/** Whether values of something meet a scope's operator. */
export function scopeMatches({ operator, values = [] }: Scope, given: readonly string[]): boolean {
  switch (operator) {
    case "In":
      return given.some((value) => values.includes(value));
    case "NotIn":
      return given.length === 0 || given.some((value) => !values.includes(value));
    case "DoesNotExist":
      return given.length === 0;
    default:
      return given.length > 0;
  }
}
