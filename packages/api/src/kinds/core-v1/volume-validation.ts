import { type FieldError, fieldError } from "../../field-error.ts";
import type { ConfigMapVolumeSource, HostPathVolumeSource, Volume } from "../../generated/types/core-v1.ts";
import type { ObjectMeta } from "../../generated/types/meta-v1.ts";
import { compareQuantities } from "../../quantity.ts";
import {
  checkChoice,
  checkDnsLabel,
  checkNoBacksteps,
  checkRequired,
  checkRequiredChoice,
  type Findings,
} from "../../validation/checks.ts";
import { dnsSubdomain } from "../../validation/names.ts";
import { checkTemplateMeta } from "../../validation/object-meta.ts";
import { checkDownwardFile, checkFileMode, checkKeysToPaths, checkProjected } from "./projection-validation.ts";
import { checkRemoteVolume } from "./remote-volume-validation.ts";
import { checkClaimSpec } from "./volume-claim-validation.ts";

/** What the check of a volume may need to know of its pod. */
export interface VolumeSetting {
  /** The pod's metadata; absent in templates, whose pods have no name yet. */
  readonly metadata: ObjectMeta | undefined;
}

/** The volumes of a pod: what is wrong, and by name those that are right (only these can be mounted). */
export function checkVolumes(
  field: string,
  volumes: readonly Volume[],
  setting: VolumeSetting,
): { readonly errors: readonly FieldError[]; readonly known: ReadonlyMap<string, Volume> } {
  const errors: FieldError[] = [];
  const known = new Map<string, Volume>();
  const podName = setting.metadata?.name;
  const claimsToCome = new Set(
    podName ? volumes.filter(({ ephemeral }) => ephemeral).map(({ name }) => `${podName}-${name}`) : [],
  );
  for (const [index, volume] of volumes.entries()) {
    const path = `${field}[${index}]`;
    const found = [...checkSource(path, volume, setting), ...checkName(`${path}.name`, volume.name, known)];
    if (found.length === 0) known.set(volume.name, volume);
    errors.push(...found);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && claimsToCome.has(claim)) {
      const message = "must not reference a PVC that gets created for an ephemeral volume";
      errors.push(fieldError.invalid(`${path}.persistentVolumeClaim.claimName`, claim, message));
    }
  }
  return { errors, known };
}

function* checkName(field: string, name: string, known: ReadonlyMap<string, Volume>): Findings {
  if (name) yield* checkDnsLabel(field, name);
  else yield fieldError.required(field);
  if (known.has(name)) yield fieldError.duplicate(field, name);
}

/** Exactly one source. */
function* checkSource(field: string, volume: Volume, setting: VolumeSetting): Findings {
  const sources = Object.entries(volume).filter(([name, source]) => name !== "name" && source !== undefined);
  if (sources.length === 0) yield fieldError.required(field, "must specify a volume type");
  for (const [index, [name]] of sources.entries()) {
    if (index > 0) yield fieldError.forbidden(`${field}.${name}`, "may not specify more than 1 volume type");
  }
  if (sources.length > 1) return;
  yield* checkLocalVolume(field, volume, setting);
  yield* checkRemoteVolume(field, volume);
}

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

/** A path of the node. */
export function* checkHostPath(field: string, { path, type }: HostPathVolumeSource): Findings {
  if (!path) return yield fieldError.required(`${field}.path`);
  yield* checkNoBacksteps(`${field}.path`, path);
  yield* checkChoice(`${field}.type`, type, hostPathTypes);
}

/** Sources that the node itself provides. */
function* checkLocalVolume(field: string, volume: Volume, { metadata }: VolumeSetting): Findings {
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, image, ephemeral } = volume;
  if (emptyDir?.sizeLimit !== undefined && compareQuantities(emptyDir.sizeLimit, "0") < 0) {
    yield fieldError.forbidden(`${field}.emptyDir.sizeLimit`, "SizeLimit field must be a valid resource quantity");
  }
  if (hostPath) yield* checkHostPath(`${field}.hostPath`, hostPath);
  if (secret) {
    yield* checkRequired(`${field}.secret.secretName`, secret.secretName);
    yield* checkFiles(`${field}.secret`, secret);
  }
  if (configMap) {
    yield* checkRequired(`${field}.configMap.name`, configMap.name);
    yield* checkFiles(`${field}.configMap`, configMap);
  }
  if (downwardAPI) {
    yield* checkFileMode(`${field}.downwardAPI.defaultMode`, downwardAPI.defaultMode);
    for (const file of downwardAPI.items ?? []) yield* checkDownwardFile(`${field}.downwardAPI`, file);
  }
  if (projected) yield* checkProjected(`${field}.projected`, projected);
  if (image) {
    if (metadata !== undefined) yield* checkRequired(`${field}.image.reference`, image.reference);
    yield* checkRequiredChoice(`${field}.image.pullPolicy`, image.pullPolicy, ["Always", "IfNotPresent", "Never"]);
  }
  if (ephemeral) yield* checkEphemeral(field, volume, metadata?.name);
}

function* checkFiles(field: string, source: Pick<ConfigMapVolumeSource, "defaultMode" | "items">): Findings {
  yield* checkFileMode(`${field}.defaultMode`, source.defaultMode);
  yield* checkKeysToPaths(`${field}.items`, source.items ?? []);
}

function* checkEphemeral(field: string, { ephemeral, name }: Volume, podName: string | undefined): Findings {
  const template = ephemeral?.volumeClaimTemplate;
  const path = `${field}.ephemeral.volumeClaimTemplate`;
  if (template === undefined) yield fieldError.required(path);
  else {
    yield* checkTemplateMeta(`${path}.metadata`, template.metadata);
    yield* checkClaimSpec(`${path}.spec`, template.spec ?? {});
  }
  if (!podName || !name) return;
  const claim = `${podName}-${name}`;
  for (const message of dnsSubdomain(claim)) {
    yield fieldError.invalid(`${field}.name`, name, `PVC name ${JSON.stringify(claim)}: ${message}`);
  }
}
