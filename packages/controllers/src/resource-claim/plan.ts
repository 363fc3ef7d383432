import {
  type DynamicResourceClaim,
  isPodTerminal,
  type KubeObject,
  type New,
  ownerReference,
  type Pod,
  type PodResourceClaim,
  Pods,
  type ResourceClaimTemplate,
} from "@skiff/api";

/** Which of its pod's claims a generated claim is for. */
export const podClaimAnnotation = "resource.kubernetes.io/pod-claim-name";
/** Holds a claim for as long as it has devices. */
export const claimFinalizer = "resource.kubernetes.io/delete-protection";
/** The API server takes no more. */
const mostReservations = 256;
/** Leaves room for what the API server appends to a name. */
const longestBase = 57;

/** None of the pod's containers runs, and none ever will. */
export const isPodDone = (pod: Pod): boolean =>
  isPodTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName);

/** The pod that a claim was made for. */
export const podOwner = ({ metadata }: KubeObject) =>
  metadata.ownerReferences?.find(
    ({ controller, apiVersion, kind }) => controller === true && apiVersion === "v1" && kind === "Pod",
  );

/** Where the claim behind a pod's claim is: its name, `wanted` while it is still to be made, or that none is needed. */
export type ClaimPlace =
  | { readonly kind: "named"; readonly name: string; readonly generated: boolean }
  | { readonly kind: "wanted"; readonly template: string }
  | { readonly kind: "none" };

export function placeOf(
  pod: Pod,
  { name, resourceClaimName, resourceClaimTemplateName }: PodResourceClaim,
): ClaimPlace {
  if (resourceClaimName) return { kind: "named", name: resourceClaimName, generated: false };
  if (!resourceClaimTemplateName) return { kind: "none" };
  const told = pod.status?.resourceClaimStatuses?.find((status) => status.name === name);
  if (told === undefined) return { kind: "wanted", template: resourceClaimTemplateName };
  if (!told.resourceClaimName) return { kind: "none" };
  return { kind: "named", name: told.resourceClaimName, generated: true };
}

/** The claim that a template asks for. */
export function claimFrom(
  pod: Pod,
  { name, template }: { readonly name: string; readonly template: ResourceClaimTemplate },
): New<DynamicResourceClaim> {
  const { name: podName } = pod.metadata;
  const { annotations, labels } = template.spec.metadata ?? {};
  const whole = `${podName}-${name}-`;
  const part = (text: string) => text.slice(0, Math.floor((text.length * longestBase) / whole.length));
  return {
    metadata: {
      generateName: whole.length > longestBase ? `${part(podName)}-${part(name)}` : whole,
      namespace: pod.metadata.namespace,
      ownerReferences: [ownerReference(Pods, pod)],
      annotations: { ...annotations, [podClaimAnnotation]: name },
      ...(labels === undefined ? {} : { labels }),
    },
    spec: template.spec.spec,
  };
}

/** Whether a pod that is on a node already has yet to be written into a claim that has devices. */
export const mayReserve = ({ status }: DynamicResourceClaim, { metadata: { uid } }: Pod): boolean =>
  status?.allocation !== undefined &&
  !(status.reservedFor ?? []).some((reservation) => reservation.uid === uid) &&
  (status.reservedFor ?? []).length < mostReservations;
