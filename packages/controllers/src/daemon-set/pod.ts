import { type DaemonSet, DaemonSets, type New, type NodeSelectorTerm, type Pod, type Toleration } from "@skiff/api";
import { revisionLabel } from "../history/revision-label.ts";
import { podFromTemplate } from "../replica-set/pod-from-template.ts";

/** The older count of templates, which some clients still look for. */
const generationAnnotation = "deprecated.daemonset.template.generation";
export const generationLabel = "pod-template-generation";

/** A daemon runs where other pods may not: on nodes that are cordoned, short of something or out of reach. */
const daemonTolerations: readonly Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];
const networkUnavailable: Toleration = {
  key: "node.kubernetes.io/network-unavailable",
  operator: "Exists",
  effect: "NoSchedule",
};

const sameToleration = (a: Toleration, b: Toleration): boolean =>
  a.key === b.key &&
  (a.operator ?? "Equal") === (b.operator ?? "Equal") &&
  a.value === b.value &&
  a.effect === b.effect;

/** The template's tolerations, and what every daemon tolerates. */
export function tolerationsOf({ spec }: DaemonSet): readonly Toleration[] {
  const own = spec.template.spec?.tolerations ?? [];
  const added =
    spec.template.spec?.hostNetwork === true ? [...daemonTolerations, networkUnavailable] : daemonTolerations;
  return [...own, ...added.filter((one) => !own.some((other) => sameToleration(one, other)))];
}

/** The pod of a node: the scheduler binds it, but has no other choice. */
export function podOf(set: DaemonSet, nodeName: string, hash: string): New<Pod> {
  const { metadata, spec } = podFromTemplate(set.spec.template, DaemonSets, set);
  const generation = set.metadata.annotations?.[generationAnnotation];
  const labels = {
    ...metadata.labels,
    [revisionLabel]: hash,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
  };
  const matchFields = [{ key: "metadata.name", operator: "In", values: [nodeName] }];
  const { affinity } = spec ?? {};
  const { nodeAffinity } = affinity ?? {};
  const terms = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  // Required terms are alternatives: each has to name the node.
  const pinned: NodeSelectorTerm[] = (terms ?? [{}]).map((term) => ({ ...term, matchFields }));
  return {
    metadata: { ...metadata, labels },
    spec: {
      containers: [],
      ...spec,
      affinity: {
        ...affinity,
        nodeAffinity: {
          ...nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: pinned },
        },
      },
      tolerations: [...tolerationsOf(set)],
    },
  };
}

/** The node that a daemon's pod runs on, or is made for. */
export function nodeNameOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const [field] = matchFields;
    if (field?.key === "metadata.name" && field.operator === "In" && field.values?.length === 1) return field.values[0];
  }
  return undefined;
}
