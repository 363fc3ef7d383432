import { type New, type Pod, type PodTemplateSpec, type StatefulSet, StatefulSets } from "@skiff/api";
import { revisionLabel } from "../history/revision-label.ts";
import { podFromTemplate } from "../replica-set/pod-from-template.ts";
import { claimName } from "./claims.ts";

export const podNameLabel = "statefulset.kubernetes.io/pod-name";
export const podIndexLabel = "apps.kubernetes.io/pod-index";

export const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;

/** The ordinal in the name of a pod of the set; `undefined` for pods that are named otherwise. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const { name } = set.metadata;
  const own = pod.metadata.name;
  if (!own.startsWith(`${name}-`)) return undefined;
  const text = own.slice(name.length + 1);
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The pod of an ordinal as a revision's template describes it: its own name, host name and volumes. */
export function podOf(
  set: StatefulSet,
  ordinal: number,
  revision: { readonly name: string; readonly template: PodTemplateSpec },
): New<Pod> {
  const { generateName: _generated, ...pod } = podFromTemplate(revision.template, StatefulSets, set).metadata;
  const { spec } = podFromTemplate(revision.template, StatefulSets, set);
  const name = podName(set, ordinal);
  const labels = { [podNameLabel]: name, [podIndexLabel]: String(ordinal), [revisionLabel]: revision.name };
  const claims = (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    name: template.metadata?.name ?? "",
    persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
  }));
  const names = new Set(claims.map((volume) => volume.name));
  const others = (spec?.volumes ?? []).filter((volume) => !names.has(volume.name));
  const volumes = [...others, ...claims];
  return {
    metadata: { ...pod, name, labels: { ...pod.labels, ...labels } },
    spec: {
      containers: [],
      ...spec,
      hostname: name,
      ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}),
      ...(volumes.length > 0 && { volumes }),
    },
  };
}
