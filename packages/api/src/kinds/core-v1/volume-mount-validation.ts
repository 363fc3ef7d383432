import { fieldError } from "../../field-error.ts";
import type { Container, Volume, VolumeMount } from "../../generated/types/core-v1.ts";
import { checkChoice, checkDescendingPath, checkRequired, type Findings } from "../../validation/checks.ts";

type Mounting = Pick<Container, "volumeMounts" | "volumeDevices" | "securityContext">;

/** Where a container sees its volumes, and that there are such volumes. */
export function* checkVolumeMounts(field: string, container: Mounting, known: ReadonlyMap<string, Volume>): Findings {
  const devices = container.volumeDevices ?? [];
  const paths = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const path = `${field}[${index}]`;
    const { name, mountPath } = mount;
    yield* checkRequired(`${path}.name`, name);
    if (!known.has(name)) yield fieldError.notFound(`${path}.name`, name ?? "");
    yield* checkRequired(`${path}.mountPath`, mountPath);
    if (paths.has(mountPath)) yield fieldError.invalid(`${path}.mountPath`, mountPath, "must be unique");
    paths.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      yield fieldError.invalid(`${path}.name`, name, "must not already exist in volumeDevices");
    }
    if (devices.some(({ devicePath }) => devicePath === mountPath)) {
      yield fieldError.invalid(`${path}.mountPath`, mountPath, "must not already exist as a path in volumeDevices");
    }
    yield* checkPart(field, path, mount);
    yield* checkPropagation(field, mount, container.securityContext?.privileged === true);
  }
}

/** Kubernetes names the list in some of these findings, not the mount. */
function* checkPart(field: string, path: string, { subPath, subPathExpr }: VolumeMount): Findings {
  if (subPath) yield* checkDescendingPath(`${field}.subPath`, subPath);
  if (!subPathExpr) return;
  if (subPath) {
    yield fieldError.invalid(`${path}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive");
  }
  yield* checkDescendingPath(`${field}.subPathExpr`, subPathExpr);
}

function* checkPropagation(field: string, mount: VolumeMount, privileged: boolean): Findings {
  const { mountPropagation, recursiveReadOnly, readOnly } = mount;
  const path = `${field}.mountPropagation`;
  yield* checkChoice(path, mountPropagation, ["Bidirectional", "HostToContainer", "None"]);
  if (mountPropagation === "Bidirectional" && !privileged) {
    const message = "Bidirectional mount propagation is available only to privileged containers";
    yield fieldError.forbidden(path, message);
  }
  const recursive = `${field}.recursiveReadOnly`;
  yield* checkChoice(recursive, recursiveReadOnly, ["Disabled", "Enabled", "IfPossible"]);
  if (recursiveReadOnly !== "Enabled" && recursiveReadOnly !== "IfPossible") return;
  if (!readOnly) yield fieldError.forbidden(recursive, "may only be specified when readOnly is true");
  if (mountPropagation !== undefined && mountPropagation !== "None") {
    yield fieldError.forbidden(recursive, "may only be specified when mountPropagation is None or not specified");
  }
}

/** Volumes that a container sees as devices. */
export function* checkVolumeDevices(field: string, container: Mounting, known: ReadonlyMap<string, Volume>): Findings {
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, { name, devicePath }] of (container.volumeDevices ?? []).entries()) {
    const path = `${field}[${index}]`;
    const volume = known.get(name);
    yield* checkRequired(`${path}.name`, name);
    if (names.has(name)) yield fieldError.invalid(`${path}.name`, name, "must be unique");
    if (volume === undefined) yield fieldError.notFound(`${path}.name`, name ?? "");
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const message = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
      yield fieldError.invalid(`${path}.name`, name, message);
    }
    yield* checkRequired(`${path}.devicePath`, devicePath);
    if (paths.has(devicePath)) yield fieldError.invalid(`${path}.devicePath`, devicePath, "must be unique");
    if (devicePath?.split("/").includes("..")) {
      yield fieldError.invalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')");
    } else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      yield fieldError.invalid(`${path}.name`, name, "must not already exist in volumeMounts");
    }
    if (mounts.some(({ mountPath }) => mountPath === devicePath)) {
      yield fieldError.invalid(`${path}.devicePath`, devicePath, "must not already exist as a path in volumeMounts");
    }
    if (name) names.add(name);
  }
}
