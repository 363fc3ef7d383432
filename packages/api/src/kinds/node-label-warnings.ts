import type { NodeSelectorTerm } from "../generated/types/core-v1.ts";
import { labelValue } from "../validation/names.ts";

const instead = (since: string, label: string): string => `deprecated since ${since}; use "${label}" instead`;

const deprecated: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": instead("v1.14", "kubernetes.io/arch"),
  "beta.kubernetes.io/os": instead("v1.14", "kubernetes.io/os"),
  "failure-domain.beta.kubernetes.io/region": instead("v1.17", "topology.kubernetes.io/region"),
  "failure-domain.beta.kubernetes.io/zone": instead("v1.17", "topology.kubernetes.io/zone"),
  "beta.kubernetes.io/instance-type": instead("v1.17", "node.kubernetes.io/instance-type"),
};

/** What to say of a label of nodes that has a newer name. */
export const nodeLabelWarning = (label: string): string | undefined => deprecated[label];

/** The same of labels by which nodes are selected. */
export function nodeLabelsWarnings(field: string, labels: Readonly<Record<string, string>> | undefined): string[] {
  return Object.keys(labels ?? {}).flatMap((key) =>
    deprecated[key] === undefined ? [] : [`${field}[${key}]: ${deprecated[key]}`],
  );
}

/** What to say of a term that selects nodes. `values`: of values that no label can have, too. */
export function nodeTermWarnings(
  field: string,
  term: NodeSelectorTerm | undefined,
  { values: checksValues }: { readonly values: boolean },
): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key, values = [] }, index) => {
    const path = `${field}.matchExpressions[${index}]`;
    const message = deprecated[key];
    return [
      ...(message === undefined ? [] : [`${path}.key: ${key} is ${message}`]),
      ...(checksValues ? values : []).flatMap((value, position) =>
        labelValue(value).map((wrong) => `${path}.values[${position}]: ${wrong}`),
      ),
    ];
  });
}
