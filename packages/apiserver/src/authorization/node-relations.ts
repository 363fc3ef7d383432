/** How objects belong to nodes: through the pods that run there, and what these use. */
import {
  type ObjectRef,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  PodCertificateRequests,
  Pods,
  type ResourceDefinition,
  ResourceSlices,
  VolumeAttachments,
} from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import type { ResourceTable } from "../contracts.ts";

/** An object, by what it is and where. */
export interface RelatedObject {
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
}

type Claim = Pick<RelatedObject, "namespace" | "name">;

/** Finds out whether objects have to do with a node. From caches, without I/O. */
export class NodeRelations {
  readonly #table: ResourceTable;

  constructor(table: ResourceTable) {
    this.#table = table;
  }

  /** True where a pod of the node uses the object. */
  relates(node: string, object: RelatedObject): boolean {
    const { plural, namespace, name } = object;
    switch (plural) {
      case "pods":
        return isOn(this.#table.of(Pods).peek({ namespace, name }), node);
      case "persistentvolumes":
        return this.#claimsOf(name).some((claim) => this.#usesClaim(node, claim));
      case "volumeattachments":
        return this.#nodeNamedBy(VolumeAttachments, { name }) === node;
      case "resourceslices":
        return this.#nodeNamedBy(ResourceSlices, { name }) === node;
      case "podcertificaterequests":
        return this.#nodeNamedBy(PodCertificateRequests, { namespace, name }) === node;
      case "secrets":
        return this.#podsOf(node, namespace).some((pod) => uses(pod, object)) || this.#usesVolumeSecret(node, object);
      default:
        return this.#podsOf(node, namespace).some((pod) => uses(pod, object));
    }
  }

  #podsOf(node: string, namespace: string): readonly Pod[] {
    return this.#table
      .of(Pods)
      .peekAll(namespace)
      .filter((pod) => isOn(pod, node));
  }

  #usesClaim(node: string, { namespace, name }: Claim): boolean {
    return this.#podsOf(node, namespace).some((pod) => usesClaim(pod, name));
  }

  /** The claim that a volume is bound to, where both say so. */
  #claimsOf(volume: string): readonly Claim[] {
    const claim = this.#table.of(PersistentVolumes).peek({ name: volume })?.spec?.claimRef;
    if (claim?.namespace === undefined || claim.name === undefined) return [];
    const ref = { namespace: claim.namespace, name: claim.name };
    return this.#table.of(PersistentVolumeClaims).peek(ref)?.spec?.volumeName === volume ? [ref] : [];
  }

  /** Volumes name secrets that their driver needs on the node. */
  #usesVolumeSecret(node: string, { namespace, name }: RelatedObject): boolean {
    return this.#table
      .of(PersistentVolumes)
      .peekAll()
      .filter(({ spec }) =>
        secretsIn(spec, spec?.claimRef?.namespace ?? "").some((one) => one === `${namespace}/${name}`),
      )
      .some(({ metadata }) => this.#claimsOf(metadata.name).some((claim) => this.#usesClaim(node, claim)));
  }

  /** `spec.nodeName` of an object. */
  #nodeNamedBy(resource: ResourceDefinition, ref: ObjectRef): string | undefined {
    const object: object | undefined = this.#table.find(resource)?.peek(ref);
    const spec: unknown = object === undefined ? undefined : Reflect.get(object, "spec");
    return isJsonObject(spec) && typeof spec.nodeName === "string" ? spec.nodeName : undefined;
  }
}

const isOn = (pod: Pod | undefined, node: string): boolean => pod?.spec?.nodeName === node;

/** `NAMESPACE/NAME` of all secrets that a volume's source refers to; `namespace` where it does not say. */
function secretsIn(value: unknown, namespace: string): string[] {
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    if (/secretRef$/i.test(key) && isJsonObject(member) && typeof member.name === "string") {
      return [`${typeof member.namespace === "string" ? member.namespace : namespace}/${member.name}`];
    }
    if (key === "secretName" && typeof member === "string") {
      const { secretNamespace: own } = value;
      return [`${typeof own === "string" ? own : namespace}/${member}`];
    }
    return secretsIn(member, namespace);
  });
}

function uses(pod: Pod, { plural, namespace, name }: RelatedObject): boolean {
  switch (plural) {
    case "serviceaccounts":
      return pod.spec?.serviceAccountName === name;
    case "persistentvolumeclaims":
      return usesClaim(pod, name);
    case "resourceclaims":
      return usesResourceClaim(pod, name);
    case "configmaps":
      return configMapsOf(pod).includes(name);
    case "secrets":
      return secretsOf(pod, namespace).includes(`${namespace}/${name}`);
    default:
      return false;
  }
}

const usesClaim = (pod: Pod, name: string): boolean =>
  pod.spec?.volumes?.some(
    (volume) =>
      volume.persistentVolumeClaim?.claimName === name ||
      (volume.ephemeral !== undefined && `${pod.metadata.name}-${volume.name}` === name),
  ) ?? false;

const usesResourceClaim = ({ spec, status }: Pod, name: string): boolean =>
  (spec?.resourceClaims ?? []).some(({ resourceClaimName }) => resourceClaimName === name) ||
  (status?.resourceClaimStatuses ?? []).some(({ resourceClaimName }) => resourceClaimName === name) ||
  status?.extendedResourceClaimStatus?.resourceClaimName === name;

const containersOf = ({ spec }: Pod) => [
  ...(spec?.containers ?? []),
  ...(spec?.initContainers ?? []),
  ...(spec?.ephemeralContainers ?? []),
];

/** Names of the ConfigMaps that a pod reads. */
export const configMapsOf = (pod: Pod): readonly string[] =>
  configMapNames(pod).filter((name): name is string => name !== undefined);

const configMapNames = (pod: Pod): (string | undefined)[] => [
  ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
    ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    ...envFrom.map(({ configMapRef }) => configMapRef?.name),
  ]),
  ...(pod.spec?.volumes ?? []).flatMap(({ configMap, projected }) => [
    configMap?.name,
    ...(projected?.sources ?? []).map((source) => source.configMap?.name),
  ]),
];

/** The Secrets that a pod reads, as `NAMESPACE/NAME`. */
export function secretsOf(pod: Pod, namespace: string): string[] {
  const names = [
    ...(pod.spec?.imagePullSecrets ?? []).map(({ name }) => name),
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
    ...(pod.spec?.volumes ?? []).flatMap(({ projected }) =>
      (projected?.sources ?? []).map((source) => source.secret?.name),
    ),
  ];
  return [
    ...names.flatMap((name) => (name === undefined ? [] : [`${namespace}/${name}`])),
    ...(pod.spec?.volumes ?? []).flatMap((volume) => secretsIn({ ...volume }, namespace)),
  ];
}
