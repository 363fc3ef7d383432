import { type ClusterRole, PersistentVolumeClaims, PersistentVolumes, type Pod, Pods } from "@skiff/api";
import type { Decision, ResourceTable, UserInfo } from "../contracts.ts";
import type { Access, AccessAuthorizer, AccessRequest } from "./access.ts";
import { nodeRules } from "./bootstrap/node-rules.ts";
import { ruleAllows } from "./rules.ts";

const prefix = "system:node:";
const noOpinion: Decision = { kind: "noOpinion", reason: "" };

/** Name of the node that a kubelet's user speaks for, `undefined` for all other users. */
export const nodeNameOf = (user: UserInfo): string | undefined =>
  user.name.startsWith(prefix) && user.groups.includes("system:nodes") ? user.name.slice(prefix.length) : undefined;

type ResourceAccess = Extract<Access, { kind: "resource" }>;

/**
 * What kubelets may do. Secrets, config maps, claims, volumes and service-account tokens only where a pod on their node uses
 * them; the rest as the rules of `system:node` say.
 */
export class NodeAuthorizer implements AccessAuthorizer {
  readonly #table: ResourceTable;
  readonly #rules: NonNullable<ClusterRole["rules"]> = nodeRules;

  constructor(table: ResourceTable) {
    this.#table = table;
  }

  authorize({ user, request }: AccessRequest): Decision {
    const node = nodeNameOf(user);
    if (node === undefined) return noOpinion;
    if (request.kind === "resource" && request.group === "") {
      const { plural, subresource } = request;
      if (plural === "secrets" || plural === "configmaps") return this.#related(node, request, readVerbs);
      if (plural === "persistentvolumeclaims" && subresource === undefined) {
        return this.#related(node, request, ["get"]);
      }
      if (plural === "persistentvolumes") return this.#related(node, request, ["get"]);
      if (plural === "serviceaccounts") {
        return this.#related(node, request, subresource === "token" ? ["create"] : ["get"]);
      }
    }
    return this.#rules.some((rule) => ruleAllows(rule, request)) ? { kind: "allowed", reason: "" } : noOpinion;
  }

  #related(node: string, access: ResourceAccess, verbs: readonly string[]): Decision {
    const { verb, plural, namespace = "", name = "" } = access;
    if (!verbs.includes(verb))
      return { kind: "noOpinion", reason: `can only ${verbs.join(", ")} resources of this type` };
    if (name === "") return { kind: "noOpinion", reason: "No Object name found" };
    const pods = this.#table.of(Pods);
    const related =
      plural === "persistentvolumes"
        ? this.#claimsOf(name).some((claim) =>
            pods.peekAll(claim.namespace).some((pod) => on(pod, node) && usesClaim(pod, claim.name)),
          )
        : pods.peekAll(namespace).some((pod) => on(pod, node) && uses(pod, plural, name));
    return related
      ? { kind: "allowed", reason: "" }
      : { kind: "noOpinion", reason: `no relationship found between node '${node}' and this object` };
  }

  #claimsOf(volume: string): readonly { readonly namespace: string; readonly name: string }[] {
    const claim = this.#table.of(PersistentVolumes).peek({ name: volume })?.spec?.claimRef;
    if (claim?.namespace === undefined || claim.name === undefined) return [];
    const ref = { namespace: claim.namespace, name: claim.name };
    return this.#table.of(PersistentVolumeClaims).peek(ref)?.spec?.volumeName === volume ? [ref] : [];
  }
}

const readVerbs = ["get", "list", "watch"] as const;

const on = (pod: Pod, node: string): boolean => pod.spec?.nodeName === node;

const usesClaim = (pod: Pod, name: string): boolean =>
  pod.spec?.volumes?.some(
    (volume) =>
      volume.persistentVolumeClaim?.claimName === name ||
      (volume.ephemeral !== undefined && `${pod.metadata.name}-${volume.name}` === name),
  ) ?? false;

function uses(pod: Pod, plural: string, name: string): boolean {
  switch (plural) {
    case "serviceaccounts":
      return pod.spec?.serviceAccountName === name;
    case "persistentvolumeclaims":
      return usesClaim(pod, name);
    case "configmaps":
      return configMapsOf(pod).includes(name);
    default:
      return secretsOf(pod).includes(name);
  }
}

const containersOf = ({ spec }: Pod) => [
  ...(spec?.containers ?? []),
  ...(spec?.initContainers ?? []),
  ...(spec?.ephemeralContainers ?? []),
];

function configMapsOf(pod: Pod): (string | undefined)[] {
  return [
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
      ...envFrom.map(({ configMapRef }) => configMapRef?.name),
    ]),
    ...(pod.spec?.volumes ?? []).flatMap(({ configMap, projected }) => [
      configMap?.name,
      ...(projected?.sources ?? []).map((source) => source.configMap?.name),
    ]),
  ];
}

function secretsOf(pod: Pod): (string | undefined)[] {
  return [
    ...(pod.spec?.imagePullSecrets ?? []).map(({ name }) => name),
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
    ...(pod.spec?.volumes ?? []).flatMap((volume) => [
      volume.secret?.secretName,
      volume.csi?.nodePublishSecretRef?.name,
      ...(volume.projected?.sources ?? []).map((source) => source.secret?.name),
    ]),
  ];
}
