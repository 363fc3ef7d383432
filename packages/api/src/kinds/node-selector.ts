import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from "../generated/types/core-v1.ts";
import type { ObjectMeta } from "../generated/types/meta-v1.ts";

/** What selectors look at in a node. */
export interface SelectableNode {
  readonly metadata: Pick<ObjectMeta, "name" | "labels">;
}

/** True when any term matches; none matches no node. */
export const nodeSelectorMatches = (selector: NodeSelector, node: SelectableNode): boolean =>
  selector.nodeSelectorTerms.some((term) => nodeSelectorTermMatches(term, node));

/** True when all requirements of the term hold. An empty term matches no node. */
export function nodeSelectorTermMatches(term: NodeSelectorTerm, { metadata }: SelectableNode): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((requirement) => holds(requirement, metadata.labels?.[requirement.key])) &&
    fields.every((field) => field.key === "metadata.name" && holds(field, metadata.name))
  );
}

function holds({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return integers(value, values[0], (have, bound) => have > bound);
    case "Lt":
      return integers(value, values[0], (have, bound) => have < bound);
    default:
      return false;
  }
}

/** Whole numbers only: labels that are none match neither way. */
function integers(
  value: string | undefined,
  bound: string | undefined,
  compare: (value: bigint, bound: bigint) => boolean,
): boolean {
  const integer = /^-?[0-9]+$/;
  if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return false;
  return compare(BigInt(value), BigInt(bound));
}

/** True when a pod's `nodeSelector` and required node affinity allow the node. */
export function podFitsNodeLabels(
  spec: {
    readonly nodeSelector?: Record<string, string> | undefined;
    readonly affinity?:
      | {
          readonly nodeAffinity?:
            | { readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector | undefined }
            | undefined;
        }
      | undefined;
  },
  node: SelectableNode,
): boolean {
  const labels = node.metadata.labels ?? {};
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value) &&
    (required === undefined || nodeSelectorMatches(required, node))
  );
}
