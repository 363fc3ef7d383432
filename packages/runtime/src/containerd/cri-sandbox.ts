import type { Init } from "@skiff/grpc";
import type {
  NamespaceOptions,
  SandboxConfig,
  SandboxMetadata,
  SandboxStatus,
  SandboxSummary,
  SeccompProfile,
} from "../runtime.ts";
import * as cri from "./generated/runtime-v1.ts";

const nanosPerMs = 1_000_000;

/** Nanoseconds since 1970, as the CRI has them, in milliseconds. */
export const toMs = (nanos: number): number => Math.floor(nanos / nanosPerMs);

const pidModes = {
  pod: cri.NamespaceMode.POD,
  container: cri.NamespaceMode.CONTAINER,
  node: cri.NamespaceMode.NODE,
};

export const namespaceOption = (options: NamespaceOptions): Init<cri.NamespaceOption> => ({
  network: pidModes[options.network],
  ipc: pidModes[options.ipc],
  ...(typeof options.pid === "string"
    ? { pid: pidModes[options.pid] }
    : { pid: cri.NamespaceMode.TARGET, targetId: options.pid.containerId }),
});

export function securityProfile(profile: SeccompProfile): Init<cri.SecurityProfile> {
  switch (profile.kind) {
    case "runtimeDefault":
      return { profileType: cri.SecurityProfileProfileType.RuntimeDefault };
    case "unconfined":
      return { profileType: cri.SecurityProfileProfileType.Unconfined };
    case "localhost":
      return { profileType: cri.SecurityProfileProfileType.Localhost, localhostRef: profile.path };
  }
}

/** A number that is told apart from none. */
export const optional = (value: number | undefined): { readonly value: number } | undefined =>
  value === undefined ? undefined : { value };

/** A sandbox's configuration as the CRI has it. */
export function criSandboxConfig(config: SandboxConfig): Init<cri.PodSandboxConfig> {
  return {
    metadata: config.metadata,
    hostname: config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: config.dns,
    portMappings: config.portMappings.map((mapping) => ({ ...mapping, protocol: cri.Protocol[mapping.protocol] })),
    labels: config.labels,
    annotations: config.annotations,
    linux: {
      cgroupParent: config.cgroupParent,
      sysctls: config.sysctls,
      securityContext: {
        namespaceOptions: namespaceOption(config.namespaces),
        runAsUser: optional(config.runAsUser),
        // The CRI refuses a group without a user.
        runAsGroup: config.runAsUser === undefined ? undefined : optional(config.runAsGroup),
        readonlyRootfs: config.readonlyRootfs,
        supplementalGroups: config.supplementalGroups,
        privileged: config.privileged,
        seccomp: securityProfile(config.seccomp),
      },
    },
  };
}

const metadata = (from: cri.PodSandboxMetadata | undefined): SandboxMetadata => ({
  name: from?.name ?? "",
  namespace: from?.namespace ?? "",
  uid: from?.uid ?? "",
  attempt: from?.attempt ?? 0,
});

export const sandboxSummary = (
  sandbox: Pick<cri.PodSandbox, "id" | "metadata" | "state" | "createdAt" | "labels" | "annotations">,
): SandboxSummary => ({
  id: sandbox.id,
  metadata: metadata(sandbox.metadata),
  state: sandbox.state === cri.PodSandboxState.SANDBOX_READY ? "ready" : "notReady",
  createdAtMs: toMs(sandbox.createdAt),
  labels: sandbox.labels,
  annotations: sandbox.annotations,
});

export function sandboxStatus(status: cri.PodSandboxStatus): SandboxStatus {
  const { network } = status;
  const ips = [network?.ip ?? "", ...(network?.additionalIps ?? []).map(({ ip }) => ip)];
  return { ...sandboxSummary(status), ips: ips.filter((ip) => ip !== "") };
}
