import type { Pod, PodSpec, PodTemplateSpec } from "../../generated/types/core-v1.ts";
import { defaultContainer, hostPortsAsContainerPorts, requestWhatIsLimited } from "./container-defaults.ts";
import { defaultVolume } from "./volume-defaults.ts";

/** Fills in what pods and the templates of pods have alike. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  spec.securityContext ??= {};
  // The field's old name is kept alike as long as either is set.
  spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else {
    delete spec.serviceAccountName;
    delete spec.serviceAccount;
  }
  spec.containers ??= [];
  for (const container of everyContainer(spec)) defaultContainer(container);
  spec.volumes?.forEach(defaultVolume);
}

/** Fills in a template: what depends on the pod itself waits until there is one. */
export function defaultPodTemplate(template: PodTemplateSpec): void {
  template.metadata ??= {};
  template.spec ??= { containers: [] };
  defaultPodSpec(template.spec);
}

/** Fills in a pod. */
export function defaultPod(pod: Pod): void {
  pod.spec ??= { containers: [] };
  defaultPodSpec(pod.spec);
  pod.spec.enableServiceLinks ??= true;
  // Less than nothing is as soon as can be. Templates keep what they say.
  if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  containers.forEach(requestWhatIsLimited);
  if (pod.spec.resources) requestWhatIsLimited(pod.spec);
  if (pod.spec.hostNetwork) for (const { ports } of containers) hostPortsAsContainerPorts(ports);
}

const everyContainer = (spec: PodSpec) => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];
