import {
  featuresToRun,
  type Pod,
  podFitsNodeLabels,
  podRequests,
  type Taint,
  undeclaredBy,
  untoleratedTaint,
} from "@skiff/api";
import { isCritical, pressureRefusal } from "../eviction/rank.ts";
import { appArmorRefusal } from "../security/app-armor.ts";
import { sysctlRefusal } from "../security/sysctls.ts";
import { isStaticPod } from "../static-pods/static-pod.ts";
import type { PodFailure } from "./pod-status.ts";
import { amountOf, podRequest, podsToPreempt, type Shortage } from "./preempt.ts";
import { isSidecar } from "./restart-policy.ts";

/** What the node offers and allows, for the judgement of pods that are bound to it. */
export interface AdmittingNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly allocatable: Readonly<Record<string, string>>;
  /** As in `linux`. */
  readonly operatingSystem: string;
  /** Unsafe sysctls that pods may set all the same, as in `net.core.somaxconn` or `kernel.msg*`. */
  readonly allowedUnsafeSysctls: readonly string[];
  readonly appArmor: boolean;
  /** Types of the conditions that tell of pressure and are true, as in `DiskPressure`. */
  readonly pressures: ReadonlySet<string>;
  /** The runtime can leave out the groups that an image's /etc/group has for its user. */
  readonly strictSupplementalGroups: boolean;
  /** What it has declared that it can do. */
  readonly declaredFeatures: readonly string[];
  /** The machine is about to be shut down. */
  readonly shuttingDown: boolean;
  /** Pods on the node that have not ended. */
  readonly others: readonly Pod[];
}

type Refusal = readonly [reason: string, message: string];

/** What is to be done with a pod that was bound to the node. */
export type Judgement =
  | { readonly kind: "admitted" }
  | { readonly kind: "refused"; readonly failure: PodFailure }
  /** Others have to go first: it is one that the cluster cannot do without. */
  | { readonly kind: "preempts"; readonly victims: readonly Pod[] };

const refused = ([reason, message]: Refusal): Judgement => ({
  kind: "refused",
  failure: { reason, message: `Pod was rejected: ${message}`, rejected: true },
});

/**
 * Whether the node takes a pod that was bound to it; the reason to fail it where not. The scheduler has seen to most of
 * this already, but pods may be bound by others, and the node may have changed.
 */
export function admitPod(pod: Pod, node: AdmittingNode): Judgement {
  if (node.shuttingDown) return refused(["NodeShutdown", "Pod was rejected as the node is shutting down."]);
  const pressure = pressureRefusal(pod, node.pressures);
  if (pressure !== undefined) return { kind: "refused", failure: { reason: "Evicted", message: pressure } };
  const before = sysctlsRefusal(pod, node) ?? systemRefusal(pod, node);
  if (before !== undefined) return refused(before);
  const lacks = shortagesOf(pod, node);
  const otherwise = placementRefusal(pod, node) ?? appArmorPart(pod, node) ?? featuresRefusal(pod, node);
  const [first] = lacks;
  if (first === undefined) return otherwise === undefined ? { kind: "admitted" } : refused(otherwise);
  if (!isCritical(pod)) return refused(first.refusal);
  // Room can be made. What else is wrong with the pod cannot be helped.
  if (otherwise !== undefined) return refused(otherwise);
  const victims = podsToPreempt(pod, node.others, lacks);
  return victims === undefined ? refused(noneToPreempt(lacks)) : { kind: "preempts", victims };
}

const noneToPreempt = (lacks: readonly Shortage[]): Refusal => {
  const list = lacks.map(({ resource, amount }) => `(res: ${resource}, q: ${amount}), `).join("");
  return [
    "UnexpectedAdmissionError",
    `Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [${list}]`,
  ];
};

function sysctlsRefusal(pod: Pod, node: AdmittingNode): Refusal | undefined {
  const shared = { hostNetwork: pod.spec.hostNetwork === true, hostIpc: pod.spec.hostIPC === true };
  for (const { name } of pod.spec.securityContext?.sysctls ?? []) {
    const message = sysctlRefusal(name, shared, node.allowedUnsafeSysctls);
    if (message !== undefined) return ["SysctlForbidden", message];
  }
  return undefined;
}

/** What no other pod's end would change: the operating system, what the runtime can do. */
function systemRefusal(pod: Pod, node: AdmittingNode): Refusal | undefined {
  const os = node.operatingSystem;
  const label = pod.metadata.labels?.["kubernetes.io/os"];
  if (label !== undefined && label !== os)
    return [
      "PodOSSelectorNodeLabelDoesNotMatch",
      "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    ];
  if (pod.spec.os !== undefined && pod.spec.os.name !== os)
    return ["PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"];
  if (pod.spec.securityContext?.supplementalGroupsPolicy === "Strict" && !node.strictSupplementalGroups)
    return ["SupplementalGroupsPolicyNotSupported", "SupplementalGroupsPolicy=Strict is not supported in this node"];
  return undefined;
}

/** Resources that the node has too little of for a pod, beside those that are there. */
function shortagesOf(pod: Pod, node: AdmittingNode): readonly (Shortage & { readonly refusal: Refusal })[] {
  const lacking = (resource: string, capacity: number) => {
    const requested = podRequest(pod, resource);
    const used = node.others.reduce((sum, one) => sum + podRequest(one, resource), 0);
    if (requested === 0 || requested + used <= capacity) return [];
    const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
    const refusal: Refusal = [`OutOf${resource}`, message];
    return [{ resource, amount: requested + used - capacity, refusal }];
  };
  const asked = Object.keys(podRequests(pod)).filter(
    // Extended resources that the node does not have are the cluster's: they are not the node's to count.
    (resource) => node.allocatable[resource] !== undefined || !resource.includes("/"),
  );
  return [
    ...lacking("pods", Number(node.allocatable.pods ?? "110")),
    ...asked.flatMap((resource) => lacking(resource, amountOf(resource, node.allocatable[resource]))),
  ];
}

function placementRefusal(pod: Pod, node: AdmittingNode): Refusal | undefined {
  const failed = (predicate: string, why: string): Refusal => [predicate, `Predicate ${predicate} failed: ${why}`];
  const labels = { ...node.labels };
  if (!podFitsNodeLabels(pod.spec, { metadata: { name: node.name, labels } }))
    return failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  const taken = node.others.flatMap(hostPortsOf);
  if (hostPortsOf(pod).some((one) => taken.some((other) => hostPortsClash(one, other))))
    return failed("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  if (untoleratedTaint(node.taints, pod.spec.tolerations, ["NoExecute"]) !== undefined && !isStaticPod(pod))
    return failed("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  return undefined;
}

function appArmorPart(pod: Pod, node: AdmittingNode): Refusal | undefined {
  const message = appArmorRefusal(pod, node.appArmor);
  return message === undefined ? undefined : ["AppArmor", message];
}

function featuresRefusal({ spec }: Pod, { declaredFeatures }: AdmittingNode): Refusal | undefined {
  const missing = undeclaredBy({ declaredFeatures: [...declaredFeatures] }, featuresToRun(spec));
  if (missing.length === 0) return undefined;
  return ["PodFeatureUnsupported", `Pod requires node features that are not available: ${missing.join(", ")}`];
}

interface HostPort {
  readonly port: number;
  readonly ip: string;
  readonly protocol: string;
}

/** Ports of the node that a pod takes for as long as it runs. */
/** The ports of the node that a pod takes. */
export const hostPortsOf = ({ spec }: Pod): readonly HostPort[] =>
  [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, hostIP, protocol = "TCP" }) =>
      hostPort === 0 ? [] : [{ port: hostPort, ip: hostIP || "0.0.0.0", protocol }],
    ),
  );

const hostPortsClash = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0");
