import type { Pod } from "@skiff/api";
import type { PortMapping, SandboxConfig } from "@skiff/runtime";
import type { NodeIdentity } from "../options.ts";
import { namespaceOptions, supplementalGroups } from "../security/linux-security.ts";
import { sysctlName } from "../security/sysctls.ts";
import { kernelHostname, podDns } from "./dns.ts";
import type { PodFolders } from "./folders.ts";
import { podIdentity } from "./pod-identity.ts";
import { sandboxLabels } from "./runtime-labels.ts";

const protocols: Readonly<Record<string, PortMapping["protocol"]>> = { TCP: "TCP", UDP: "UDP", SCTP: "SCTP" };

function portMappings(pod: Pod): readonly PortMapping[] {
  if (pod.spec.hostNetwork === true) return [];
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((container) =>
    (container.ports ?? []).map((port) => ({
      protocol: protocols[port.protocol ?? "TCP"] ?? ("TCP" as const),
      containerPort: port.containerPort,
      hostPort: port.hostPort ?? 0,
      hostIp: port.hostIP ?? "",
    })),
  );
}

/** What the runtime is told of a pod's sandbox. */
export function sandboxConfig(
  pod: Pod,
  attempt: number,
  options: {
    readonly node: NodeIdentity;
    readonly folders: PodFolders;
    readonly cgroupParent: string;
    /** Handler of the pod's RuntimeClass; empty without one. */
    readonly runtimeHandler: string;
    /** The node's own resolver. */
    readonly hostDns: SandboxConfig["dns"];
  },
): SandboxConfig {
  const { node, folders } = options;
  const shared = pod.spec.securityContext;
  const hostNetwork = pod.spec.hostNetwork === true;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return {
    metadata: { ...podIdentity(pod), attempt },
    hostname: hostNetwork ? "" : kernelHostname(pod, node.clusterDomain),
    logDirectory: folders.podLogs(podIdentity(pod)),
    dns: podDns(pod, node, options.hostDns),
    portMappings: portMappings(pod),
    labels: sandboxLabels(pod),
    annotations: pod.metadata.annotations ?? {},
    cgroupParent: options.cgroupParent,
    sysctls: Object.fromEntries((shared?.sysctls ?? []).map(({ name, value }) => [sysctlName(name), value])),
    namespaces: namespaceOptions(pod),
    ...(shared?.runAsUser === undefined ? {} : { runAsUser: shared.runAsUser }),
    ...(shared?.runAsUser === undefined || shared.runAsGroup === undefined ? {} : { runAsGroup: shared.runAsGroup }),
    supplementalGroups: supplementalGroups(shared),
    privileged: containers.some((one) => one.securityContext?.privileged === true),
    readonlyRootfs: false,
    // The pause process needs nothing that the default profile forbids, whatever the containers run under.
    seccomp: { kind: "runtimeDefault" },
    runtimeHandler: options.runtimeHandler,
  };
}
