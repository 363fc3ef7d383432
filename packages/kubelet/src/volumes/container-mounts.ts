import { chmod, mkdir, readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { Container, Pod, VolumeMount } from "@skiff/api";
import type { Mount, MountPropagation } from "@skiff/runtime";
import { ContainerConfigError } from "../env/environment.ts";
import { expand } from "../env/expand.ts";
import type { PodVolumes } from "./pod-volumes.ts";

const propagations: Readonly<Record<string, MountPropagation>> = {
  HostToContainer: "hostToContainer",
  Bidirectional: "bidirectional",
};

/** The volumes of a container as mounts. `env` is the container's environment, for `subPathExpr`. */
export async function containerMounts(
  pod: Pod,
  container: Container,
  options: { readonly volumes: PodVolumes; readonly env: ReadonlyMap<string, string> },
): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = pod.spec.volumes?.find((one) => one.name === mount.name);
    if (volume === undefined)
      throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const folder = options.volumes.pathOf(pod, volume);
    const below = subPath(mount, options.env);
    const readonly =
      mount.readOnly === true ||
      (volume.projected ?? volume.secret ?? volume.configMap ?? volume.downwardAPI) !== undefined;
    mounts.push({
      containerPath: isAbsolute(mount.mountPath) ? mount.mountPath : `/${mount.mountPath}`,
      hostPath: below === "" ? folder : await subPathOf(folder, below, container),
      readonly,
      propagation: propagations[mount.mountPropagation ?? ""] ?? "private",
      ...(mount.recursiveReadOnly === "Enabled" ? { recursiveReadOnly: true } : {}),
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
  const found = pod.spec.volumes?.find((one) => one.name === volume);
  if (found === undefined)
    throw new ContainerConfigError(`cannot find the volume "${volume}" referenced by FileKeyRef`);
  const root = await realpath(volumes.pathOf(pod, found));
  const file = await realpath(join(root, path)).catch(() => undefined);
  if (file === undefined) return undefined;
  if (!file.startsWith(`${root}/`)) throw new ContainerConfigError(`"${path}" leads out of the volume "${volume}"`);
  return readFile(file, "utf8");
}

function subPath(mount: VolumeMount, env: ReadonlyMap<string, string>): string {
  if (mount.subPathExpr === undefined || mount.subPathExpr === "") return mount.subPath ?? "";
  const missing: string[] = [];
  const path = expand(mount.subPathExpr, (name) => {
    const value = env.get(name);
    if (value === undefined || value === "") missing.push(name);
    return value;
  });
  if (missing.length > 0)
    throw new ContainerConfigError(
      `failed to expand subPathExpr "${mount.subPathExpr}": missing value for ${missing.join(", ")}`,
    );
  return path;
}

/** A path within a volume, links followed; made as a folder where it is missing. It may not lead out of the volume. */
async function subPathOf(folder: string, below: string, container: Container): Promise<string> {
  const refuse = (why: string) =>
    new ContainerConfigError(`failed to prepare subPath for volumeMount of container "${container.name}": ${why}`);
  if (isAbsolute(below)) throw refuse(`error SubPath \`${below}\` must not be an absolute path`);
  if (below.split("/").includes("..")) throw refuse(`unable to provision SubPath \`${below}\`: must not contain '..'`);
  const root = await realpath(folder);
  const wanted = join(root, below);
  if ((await stat(wanted).catch(() => undefined)) === undefined) {
    // Nothing is made through links that a container may have put there.
    let parent = wanted;
    while ((await stat(parent).catch(() => undefined)) === undefined) parent = join(parent, "..");
    const real = await realpath(parent);
    if (real !== root && !real.startsWith(`${root}/`)) throw refuse(`"${below}" leads out of the volume`);
    const { mode } = await stat(root);
    const made = await mkdir(wanted, { recursive: true });
    if (made !== undefined) await chmod(wanted, mode & 0o7777);
  }
  const real = await realpath(wanted);
  if (real !== root && !real.startsWith(`${root}/`)) throw refuse(`"${below}" leads out of the volume`);
  return real;
}
