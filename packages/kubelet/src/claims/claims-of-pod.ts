import { asUnits, type Container, type DynamicResourceClaim, type Pod } from "@skiff/api";

/** A claim of a pod: by which name containers mean it, and what it is called. */
export interface PodClaimName {
  readonly podClaim: string;
  readonly name: string;
  /** It was made from a template, and has to be the pod's own. */
  readonly generated: boolean;
}

/** Whether the pod has claims. */
export const hasClaims = ({ spec, status }: Pod): boolean =>
  (spec.resourceClaims ?? []).length > 0 || status?.extendedResourceClaimStatus !== undefined;

/** The claims of a pod: those that it refers to, and the one for the devices of its resources. Throws where one was not made yet. */
export const claimNames = (pod: Pod): readonly PodClaimName[] => {
  const special = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  return [...namedClaims(pod), ...(special ? [{ podClaim: "", name: special, generated: false }] : [])];
};

const namedClaims = ({ metadata, spec, status }: Pod): readonly PodClaimName[] =>
  (spec.resourceClaims ?? []).flatMap(({ name, resourceClaimName, resourceClaimTemplateName }): PodClaimName[] => {
    if (resourceClaimName) return [{ podClaim: name, name: resourceClaimName, generated: false }];
    const who = `pod "${metadata.namespace}/${metadata.name}"`;
    if (!resourceClaimTemplateName)
      throw new Error(`${who}, spec.resourceClaim ${JSON.stringify(name)}: none of the supported fields are set`);
    const told = status?.resourceClaimStatuses?.find((one) => one.name === name);
    if (told === undefined) throw new Error(`${who}: ResourceClaim not created yet`);
    const { resourceClaimName: made } = told;
    return made ? [{ podClaim: name, name: made, generated: true }] : [];
  });

/** What the claim is called that containers mean by a name; `undefined` while it has not been made. */
export const claimNamed = ({ spec, status }: Pod, podClaim: string): string | undefined =>
  status?.resourceClaimStatuses?.find(({ name }) => name === podClaim)?.resourceClaimName ??
  spec.resourceClaims?.find(({ name }) => name === podClaim)?.resourceClaimName;

/** Why the pod may not use a claim; `undefined`: it may. */
export function claimRefusal(
  { metadata }: Pod,
  { name, generated }: PodClaimName,
  claim: DynamicResourceClaim,
): string | undefined {
  const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (generated && owner?.uid !== metadata.uid) {
    const { namespace } = metadata;
    return `ResourceClaim ${namespace}/${name} was not created for pod ${namespace}/${metadata.name} (pod is not owner)`;
  }
  if (claim.status?.reservedFor?.some(({ uid }) => uid === metadata.uid) !== true) {
    return `pod ${metadata.name} (${metadata.uid}) is not allowed to use ResourceClaim ${name} (${claim.metadata.uid})`;
  }
  return claim.status.allocation === undefined ? `ResourceClaim ${name}: not allocated` : undefined;
}

/** Which claims, and which of their requests, a container asks for; an empty request stands for all. */
export const containerClaims = (
  pod: Pod,
  container: Container,
): readonly { readonly name: string; readonly request: string }[] => [
  ...referredClaims(pod, container),
  ...resourceRequests(pod, container),
];

function referredClaims(pod: Pod, { resources }: Container) {
  const wanted = resources?.claims ?? [];
  if (wanted.length === 0) return [];
  const names = namedClaims(pod);
  return wanted.flatMap(({ name: podClaim, request = "" }) => {
    const found = names.find((one) => one.podClaim === podClaim);
    return found === undefined ? [] : [{ name: found.name, request }];
  });
}

function resourceRequests({ status }: Pod, { name: container, resources }: Container) {
  const { resourceClaimName: name = "", requestMappings = [] } = status?.extendedResourceClaimStatus ?? {};
  return requestMappings.flatMap(({ containerName, resourceName, requestName: request }) =>
    containerName === container && asUnits(resources?.requests?.[resourceName] ?? "0") > 0 ? [{ name, request }] : [],
  );
}

/** Whether devices by claim stand behind a container's resource: no device plugin has to give any, then. */
export const isByClaim = ({ status }: Pod, container: string, resource: string): boolean =>
  status?.extendedResourceClaimStatus?.requestMappings.some(
    ({ containerName, resourceName }) => containerName === container && resourceName === resource,
  ) === true;
