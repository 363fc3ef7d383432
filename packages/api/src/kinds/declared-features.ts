/**
 * What some nodes of a cluster can do and others cannot yet. Nodes declare it by name in `status.declaredFeatures`; pods that need it
 * go only where it is declared, and changes that need it are refused for pods elsewhere.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/node-declared-features/
 */
import { jsonEqual } from "@skiff/base";
import type { Node, PodSpec } from "../generated/types/core-v1.ts";
import { isSidecar } from "./pod-state.ts";

/** Features of nodes that anything depends on, in the order in which they are declared. */
export type NodeFeature =
  /** The node's server speaks WebSocket for streams. Pods do not ask for it. */
  | "ExtendWebSocketsToKubelet"
  /** Requests and limits of a whole pod change while it runs. */
  | "InPlacePodLevelResourcesVerticalScaling"
  /** So do those of init containers that come to an end. */
  | "InPlacePodVerticalScalingInitContainers"
  /** The end of one container can start all of them anew. */
  | "RestartAllContainersOnContainerExits"
  /** Pods in the node's network can have users of their own. */
  | "UserNamespacesHostNetworkSupport";

/** What nodes of this version can do, in alphabetical order. */
export const knownNodeFeatures: readonly NodeFeature[] = [
  "ExtendWebSocketsToKubelet",
  "InPlacePodLevelResourcesVerticalScaling",
  "InPlacePodVerticalScalingInitContainers",
  "RestartAllContainersOnContainerExits",
];

/** What a pod needs of its node to run as its spec says, in alphabetical order. */
export function featuresToRun({ containers, initContainers = [], hostNetwork, hostUsers }: PodSpec): NodeFeature[] {
  const restartsAll = [...containers, ...initContainers].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === "RestartAllContainers"),
  );
  return [
    ...(restartsAll ? (["RestartAllContainersOnContainerExits"] as const) : []),
    ...(hostNetwork === true && hostUsers === false ? (["UserNamespacesHostNetworkSupport"] as const) : []),
  ];
}

/** What a pod needs of its node so that its spec can change from one to the other, in alphabetical order. */
export function featuresToChange(old: PodSpec, now: PodSpec): NodeFeature[] {
  const passing = (old.initContainers ?? []).some(
    (container, index) =>
      !isSidecar(container) && !jsonEqual(container.resources ?? {}, now.initContainers?.[index]?.resources ?? {}),
  );
  return [
    ...(jsonEqual(old.resources ?? {}, now.resources ?? {})
      ? []
      : (["InPlacePodLevelResourcesVerticalScaling"] as const)),
    ...(passing ? (["InPlacePodVerticalScalingInitContainers"] as const) : []),
  ];
}

/** Those of the features that a node does not declare. */
export const undeclaredBy = (status: Node["status"], features: readonly NodeFeature[]): readonly NodeFeature[] =>
  features.filter((feature) => status?.declaredFeatures?.includes(feature) !== true);
