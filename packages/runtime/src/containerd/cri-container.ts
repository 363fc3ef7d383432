import type { Init } from "@skiff/grpc";
import type {
  AppArmorProfile,
  ContainerConfig,
  ContainerState,
  ContainerStats,
  ContainerStatus,
  ContainerSummary,
  ImageSummary,
  LinuxResources,
  Mount,
  MountPropagation,
} from "../runtime.ts";
import { namespaceOption, optional, securityProfile, toMs } from "./cri-sandbox.ts";
import * as cri from "./generated/runtime-v1.ts";

/** Facts that the CRI of this version has no field for travel as annotations that callers do not see. */
const hidden = { userImage: "runtime.skiff.dev/user-image", stopSignal: "runtime.skiff.dev/stop-signal" };

function visible(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { [hidden.userImage]: _image, [hidden.stopSignal]: _signal, ...rest } = annotations;
  return rest;
}

/** The signal a container asked to be stopped with, from its annotations. */
export const stopSignalOf = (annotations: Readonly<Record<string, string>>): string | undefined =>
  annotations[hidden.stopSignal];

const propagations: Readonly<Record<MountPropagation, number>> = {
  private: cri.MountPropagation.PROPAGATION_PRIVATE,
  hostToContainer: cri.MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  bidirectional: cri.MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

export const criResources = (resources: LinuxResources): Init<cri.LinuxContainerResources> => ({
  cpuPeriod: resources.cpuPeriodUs,
  cpuQuota: resources.cpuQuotaUs,
  cpuShares: resources.cpuShares,
  memoryLimitInBytes: resources.memoryLimitBytes,
  oomScoreAdj: resources.oomScoreAdj,
  cpusetCpus: resources.cpusetCpus,
  cpusetMems: resources.cpusetMems,
  hugepageLimits: resources.hugepageLimits?.map(({ pageSize, limitBytes }) => ({ pageSize, limit: limitBytes })),
  unified: resources.unified,
});

const criMount = ({ containerPath, hostPath, readonly, propagation }: Mount): Init<cri.Mount> => ({
  containerPath,
  hostPath,
  readonly,
  propagation: propagations[propagation],
});

const appArmorProfile = (profile: AppArmorProfile): Init<cri.SecurityProfile> =>
  profile.kind === "localhost"
    ? { profileType: cri.SecurityProfileProfileType.Localhost, localhostRef: profile.name }
    : securityProfile(profile);

/** A container's configuration as the CRI has it. */
export function criContainerConfig(config: ContainerConfig): Init<cri.ContainerConfig> {
  const { security, stopSignal } = config;
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.image },
    command: config.command,
    args: config.args,
    workingDir: config.workingDir,
    envs: config.env.map(({ name, value }) => ({ key: name, value })),
    mounts: config.mounts.map(criMount),
    devices: config.devices,
    labels: config.labels,
    annotations: {
      ...config.annotations,
      [hidden.userImage]: config.userImage,
      ...(stopSignal === undefined ? {} : { [hidden.stopSignal]: stopSignal }),
    },
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: criResources(config.resources),
      securityContext: {
        capabilities: { addCapabilities: security.addCapabilities, dropCapabilities: security.dropCapabilities },
        privileged: security.privileged,
        namespaceOptions: namespaceOption(security.namespaces),
        runAsUser: optional(security.runAsUser),
        runAsUsername: security.runAsUsername,
        runAsGroup: optional(security.runAsGroup),
        readonlyRootfs: security.readonlyRootfs,
        supplementalGroups: security.supplementalGroups,
        noNewPrivs: security.noNewPrivileges,
        maskedPaths: security.privileged ? [] : security.maskedPaths,
        readonlyPaths: security.privileged ? [] : security.readonlyPaths,
        seccomp: securityProfile(security.seccomp),
        ...(security.appArmor === undefined ? {} : { apparmor: appArmorProfile(security.appArmor) }),
      },
    },
  };
}

const states = new Map<number, ContainerState>([
  [cri.ContainerState.CONTAINER_CREATED, "created"],
  [cri.ContainerState.CONTAINER_RUNNING, "running"],
  [cri.ContainerState.CONTAINER_EXITED, "exited"],
]);

export const containerSummary = (container: cri.Container): ContainerSummary => ({
  id: container.id,
  sandboxId: container.podSandboxId,
  name: container.metadata?.name ?? "",
  attempt: container.metadata?.attempt ?? 0,
  state: states.get(container.state) ?? "unknown",
  createdAtMs: toMs(container.createdAt),
  imageId: container.imageRef,
  userImage: container.annotations[hidden.userImage] ?? container.image?.image ?? "",
  labels: container.labels,
  annotations: visible(container.annotations),
});

const mountOf = ({ containerPath, hostPath, readonly, propagation }: cri.Mount): Mount => ({
  containerPath,
  hostPath,
  readonly,
  propagation:
    propagation === cri.MountPropagation.PROPAGATION_BIDIRECTIONAL
      ? "bidirectional"
      : propagation === cri.MountPropagation.PROPAGATION_HOST_TO_CONTAINER
        ? "hostToContainer"
        : "private",
});

/** `sandboxId` and `imageId` are not part of the CRI's status: the caller knows or looks them up. */
export const containerStatus = (
  status: cri.ContainerStatus,
  known: { readonly sandboxId: string; readonly imageId: string },
): ContainerStatus => ({
  id: status.id,
  ...known,
  name: status.metadata?.name ?? "",
  attempt: status.metadata?.attempt ?? 0,
  state: states.get(status.state) ?? "unknown",
  createdAtMs: toMs(status.createdAt),
  startedAtMs: Math.max(0, toMs(status.startedAt)),
  finishedAtMs: Math.max(0, toMs(status.finishedAt)),
  exitCode: status.exitCode,
  reason: status.reason,
  message: status.message,
  imageRef: status.imageRef,
  userImage: status.annotations[hidden.userImage] ?? status.image?.image ?? "",
  logPath: status.logPath,
  mounts: status.mounts.map(mountOf),
  labels: status.labels,
  annotations: visible(status.annotations),
});

export const imageSummary = (image: cri.Image): ImageSummary => ({
  id: image.id,
  repoTags: image.repoTags,
  repoDigests: image.repoDigests,
  sizeBytes: image.size,
  ...(image.uid === undefined ? {} : { uid: image.uid.value }),
  ...(image.username === "" ? {} : { username: image.username }),
  pinned: image.pinned,
});

export const containerStats = (stats: cri.ContainerStats): ContainerStats => {
  const workingSet = stats.memory?.workingSetBytes?.value ?? 0;
  return {
    id: stats.attributes?.id ?? "",
    atMs: toMs(stats.cpu?.timestamp ?? stats.memory?.timestamp ?? 0),
    cpuNanos: stats.cpu?.usageCoreNanoSeconds?.value ?? 0,
    memoryWorkingSetBytes: workingSet,
    memoryUsageBytes: stats.memory?.usageBytes?.value ?? workingSet,
    memoryRssBytes: stats.memory?.rssBytes?.value ?? 0,
    writableLayerBytes: stats.writableLayer?.usedBytes?.value ?? 0,
    writableLayerInodes: stats.writableLayer?.inodesUsed?.value ?? 0,
  };
};
