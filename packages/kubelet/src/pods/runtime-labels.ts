import type { Container, Pod } from "@skiff/api";
import { givenTo } from "../resize/allocation.ts";
import { type PodIdentity, podIdentity } from "./pod-identity.ts";

/** Labels by which sandboxes and containers in the runtime are known again after the agent was restarted. */
export const runtimeLabels = {
  podName: "io.kubernetes.pod.name",
  podNamespace: "io.kubernetes.pod.namespace",
  podUid: "io.kubernetes.pod.uid",
  containerName: "io.kubernetes.container.name",
} as const;

/** Facts that must survive the agent, kept with each container. */
export const runtimeAnnotations = {
  restartCount: "io.kubernetes.container.restartCount",
  imageReference: "skiff.dev/container.image",
  /** What the container was given when it was made, in JSON. */
  resources: "skiff.dev/container.resources",
  terminationMessagePath: "io.kubernetes.container.terminationMessagePath",
  terminationMessagePolicy: "io.kubernetes.container.terminationMessagePolicy",
  podGracePeriodSeconds: "io.kubernetes.pod.terminationGracePeriod",
} as const;

type Texts = Readonly<Record<string, string>>;

export const sandboxLabels = (pod: Pod): Texts => ({
  ...pod.metadata.labels,
  [runtimeLabels.podName]: pod.metadata.name,
  [runtimeLabels.podNamespace]: pod.metadata.namespace,
  [runtimeLabels.podUid]: pod.metadata.uid,
});

export const containerLabels = (pod: Pod, container: Pick<Container, "name">): Texts => {
  const { uid, name, namespace } = podIdentity(pod);
  return {
    [runtimeLabels.podName]: name,
    [runtimeLabels.podNamespace]: namespace,
    [runtimeLabels.podUid]: uid,
    [runtimeLabels.containerName]: container.name,
  };
};

export const containerAnnotations = (pod: Pod, container: Container, restartCount: number): Texts => ({
  [runtimeAnnotations.restartCount]: String(restartCount),
  [runtimeAnnotations.imageReference]: container.image ?? "",
  [runtimeAnnotations.resources]: JSON.stringify(givenTo(container, pod)),
  [runtimeAnnotations.terminationMessagePath]: container.terminationMessagePath ?? "/dev/termination-log",
  [runtimeAnnotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? "File",
  [runtimeAnnotations.podGracePeriodSeconds]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
});

/** The pod that a sandbox or container belongs to; `undefined` for what the kubelet did not make. */
export function podOfLabels(labels: Texts): PodIdentity | undefined {
  const uid = labels[runtimeLabels.podUid];
  const name = labels[runtimeLabels.podName];
  const namespace = labels[runtimeLabels.podNamespace];
  return uid === undefined || name === undefined || namespace === undefined ? undefined : { uid, name, namespace };
}

/** How often the container of this name was started before this one. */
export function restartCountOf(container: { readonly attempt: number; readonly annotations: Texts }): number {
  const count = Number(container.annotations[runtimeAnnotations.restartCount]);
  return Number.isInteger(count) ? count : container.attempt;
}
