import { readFile, realpath } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import type { Container, Pod, VolumeMount } from "@skiff/api";
import { describeError, isAbort, type Logger } from "@skiff/base";
import { isWithin, openBeneath } from "@skiff/host";
import type { Device, Mount, MountPropagation } from "@skiff/runtime";
import { ContainerConfigError } from "../env/environment.ts";
import { expand } from "../env/expand.ts";
import type { PodVolumes } from "./pod-volumes.ts";
import type { SubPaths } from "./sub-path.ts";

const propagations: Readonly<Record<string, MountPropagation>> = {
  HostToContainer: "hostToContainer",
  Bidirectional: "bidirectional",
};

export interface MountsInput {
  readonly volumes: PodVolumes;
  readonly subPaths: SubPaths;
  /** The container's environment, for `subPathExpr`. */
  readonly env: ReadonlyMap<string, string>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** The volumes of a container as mounts. */
export async function containerMounts(pod: Pod, container: Container, input: MountsInput): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = input.volumes.find(pod.metadata.uid, mount.name);
    if (volume === undefined || volume.mounted.kind !== "files")
      throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const { path, readonly } = volume.mounted;
    const below = wantedSubPath(container, mount, input.env);
    checkRecursive(mount);
    mounts.push({
      containerPath: isAbsolute(mount.mountPath) ? mount.mountPath : `/${mount.mountPath}`,
      hostPath:
        below === ""
          ? await realpath(path).catch(() => path)
          : await subPathOf(input, { pod, container, mount, index, below, root: path }),
      readonly: mount.readOnly === true || readonly,
      propagation: propagations[mount.mountPropagation ?? ""] ?? "private",
    });
  }
  return mounts;
}

/** The text of a file in one of a pod's volumes, which it may not lead out of; `undefined` where there is none. */
export async function volumeFile(
  pod: Pod,
  { volume, path }: { readonly volume: string; readonly path: string },
  volumes: PodVolumes,
): Promise<string | undefined> {
  const mounted = volumes.find(pod.metadata.uid, volume)?.mounted;
  if (mounted?.kind !== "files")
    throw new ContainerConfigError(`cannot find the volume "${volume}" referenced by FileKeyRef`);
  const root = await realpath(mounted.path);
  const real = await realpath(join(root, path)).catch(() => undefined);
  if (real === undefined) return undefined;
  const refused = () => new ContainerConfigError(`"${path}" leads out of the volume "${volume}"`);
  if (!isWithin(real, root)) throw refused();
  await using file = await openBeneath(root, relative(root, real)).catch(() => {
    throw refused();
  });
  // Reading from a pipe would wait for somebody to write.
  if (!(await file.stat()).isFile())
    throw new ContainerConfigError(`"${path}" of the volume "${volume}" is not a file`);
  return readFile(file.path, "utf8");
}

/** A mount that must be read-only with all mounts below it needs a runtime that can do that; those known here cannot. */
function checkRecursive({ name, recursiveReadOnly, readOnly, mountPropagation }: VolumeMount): void {
  if (recursiveReadOnly !== "Enabled") return;
  const asked = `volume ${JSON.stringify(name)} requested recursive read-only mode, but it is`;
  if (readOnly !== true) throw new ContainerConfigError(`${asked} not read-only`);
  if (mountPropagation !== undefined && mountPropagation !== "None")
    throw new ContainerConfigError(`${asked} not compatible with propagation ${JSON.stringify(mountPropagation)}`);
  throw new ContainerConfigError(`${asked} not supported by the runtime`);
}

/** The volumes that a container gets as devices. */
export function containerDevices(pod: Pod, container: Container, volumes: PodVolumes): readonly Device[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const mounted = volumes.find(pod.metadata.uid, name)?.mounted;
    if (mounted?.kind !== "block")
      throw new ContainerConfigError(`cannot find volume "${name}" to pass into container "${container.name}"`);
    return { hostPath: mounted.device, containerPath: devicePath, permissions: mounted.readonly ? "r" : "mrw" };
  });
}

function wantedSubPath(container: Container, mount: VolumeMount, env: ReadonlyMap<string, string>): string {
  let path = mount.subPath ?? "";
  if (mount.subPathExpr !== undefined && mount.subPathExpr !== "") {
    const missing: string[] = [];
    path = expand(mount.subPathExpr, (name) => {
      const value = env.get(name);
      if (value === undefined || value === "") missing.push(name);
      return value;
    });
    if (missing.length > 0)
      throw new ContainerConfigError(`failed to expand subPathExpr for container "${container.name}"`);
  }
  if (path === "") return "";
  if (isAbsolute(path)) throw new ContainerConfigError(`error SubPath \`${path}\` must not be an absolute path`);
  if (path.split("/").includes(".."))
    throw new ContainerConfigError(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  return path;
}

async function subPathOf(
  { subPaths, logger, signal }: MountsInput,
  wanted: {
    readonly pod: Pod;
    readonly container: Container;
    readonly mount: VolumeMount;
    readonly index: number;
    readonly below: string;
    readonly root: string;
  },
): Promise<string> {
  const { pod, container, mount, index, below, root } = wanted;
  const place = { uid: pod.metadata.uid, volume: mount.name, container: container.name, index };
  try {
    return await subPaths.prepare({ root, below, place }, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    // What exactly is wrong could tell a container about files of the node: that is for the node's log.
    logger.warn(`subPath ${below} of volume ${mount.name} in ${pod.metadata.name}: ${describeError(error)}`);
    throw new ContainerConfigError(
      `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`,
    );
  }
}
