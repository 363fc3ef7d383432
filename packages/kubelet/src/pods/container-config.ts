import { chmod, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Container, Pod } from "@skiff/api";
import type { ContainerConfig, Device, ImageSummary, Mount } from "@skiff/runtime";
import { containerResources } from "../cgroups/resources.ts";
import { expand } from "../env/expand.ts";
import type { ContainerGrant } from "../grants/container-grant.ts";
import { linuxSecurity } from "../security/linux-security.ts";
import type { PodFolders } from "./folders.ts";
import { containerAnnotations, containerLabels } from "./runtime-labels.ts";

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: ImageSummary;
  readonly attempt: number;
  readonly env: ReadonlyMap<string, string>;
  /** The container's volumes. */
  readonly mounts: readonly Mount[];
  /** The file for the container's last words. */
  readonly lastWords: Mount;
  /** The container's volumes that are devices. */
  readonly devices: readonly Device[];
  /** What was set aside for it, beyond what is in `env`, `mounts` and `devices` already. */
  readonly grant: Pick<ContainerGrant, "annotations" | "cdiDevices" | "cpusetCpus" | "cpusetMems">;
  readonly folders: PodFolders;
  readonly rootFolder: string;
  readonly memoryCapacityBytes: number;
  /** Id of the container whose processes this one is to see. */
  readonly target?: string;
}

/** Makes the file that a container may leave its last words in; anyone may write to it. */
export async function terminationMessageMount(
  folders: PodFolders,
  { pod, container, attempt }: Pick<ContainerConfigInput, "pod" | "container" | "attempt">,
): Promise<Mount> {
  const hostPath = folders.terminationMessage(pod.metadata.uid, container.name, attempt);
  await mkdir(dirname(hostPath), { recursive: true, mode: 0o750 });
  await (await open(hostPath, "w", 0o666)).close();
  await chmod(hostPath, 0o666);
  const containerPath = container.terminationMessagePath ?? "/dev/termination-log";
  return { containerPath, hostPath, readonly: false, propagation: "private" };
}

/** The pod's hosts file. */
const hostsMount = (folders: PodFolders, pod: Pod): Mount => ({
  containerPath: "/etc/hosts",
  hostPath: folders.hosts(pod.metadata.uid),
  readonly: false,
  propagation: "private",
});

/** What the runtime is told of a container. Pure. */
export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { pod, container, image, attempt, env, folders, grant } = input;
  const { cpusetCpus, cpusetMems } = grant;
  const hosts = hostsMount(folders, pod);
  const own = input.mounts.some(({ containerPath }) => containerPath === hosts.containerPath) ? [] : [hosts];
  const lookup = (name: string) => env.get(name);
  const stopSignal = container.lifecycle?.stopSignal;
  return {
    name: container.name,
    attempt,
    image: image.id,
    userImage: container.image ?? "",
    command: (container.command ?? []).map((part) => expand(part, lookup)),
    args: (container.args ?? []).map((part) => expand(part, lookup)),
    workingDir: container.workingDir ?? "",
    env: [...env].map(([name, value]) => ({ name, value })),
    mounts: [...input.mounts, ...own, input.lastWords],
    devices: input.devices,
    labels: containerLabels(pod, container),
    ...(grant.cdiDevices.length === 0 ? {} : { cdiDevices: grant.cdiDevices }),
    annotations: { ...grant.annotations, ...containerAnnotations(pod, container, attempt) },
    logPath: folders.logPath(container.name, attempt),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    resources: {
      ...containerResources(pod, container, input.memoryCapacityBytes),
      ...(cpusetCpus === undefined ? {} : { cpusetCpus }),
      ...(cpusetMems === undefined ? {} : { cpusetMems }),
    },
    security: linuxSecurity(pod, container, {
      image,
      rootFolder: input.rootFolder,
      ...(input.target === undefined ? {} : { target: input.target }),
    }),
    ...(stopSignal === undefined ? {} : { stopSignal }),
  };
}
