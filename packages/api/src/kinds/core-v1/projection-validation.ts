import { fieldError } from "../../field-error.ts";
import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "../../generated/types/core-v1.ts";
import { checkRequired, checkVolumeFilePath, type Findings } from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { checkFieldRef, checkResourceFieldRef } from "./environment-validation.ts";

/** Permission bits of a file. */
export function* checkFileMode(field: string, mode: number | undefined): Findings {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return;
  yield fieldError.invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

/** Which keys become which files. */
export function* checkKeysToPaths(field: string, items: readonly KeyToPath[]): Findings {
  for (const [index, { key, path, mode }] of items.entries()) {
    yield* checkRequired(`${field}[${index}].key`, key);
    yield* checkRequired(`${field}[${index}].path`, path);
    yield* checkVolumeFilePath(`${field}[${index}].path`, path ?? "");
    yield* checkFileMode(`${field}[${index}].mode`, mode);
  }
}

/** Fields of a pod that a file can show. */
const shownFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/** A file that shows something of the pod. */
export function* checkDownwardFile(field: string, file: DownwardAPIVolumeFile): Findings {
  const { path, fieldRef, resourceFieldRef, mode } = file;
  yield* checkRequired(`${field}.path`, path);
  yield* checkVolumeFilePath(`${field}.path`, path ?? "");
  if (fieldRef) {
    yield* checkFieldRef(`${field}.fieldRef`, fieldRef, shownFields);
    if (resourceFieldRef) {
      const message = "fieldRef and resourceFieldRef can not be specified simultaneously";
      yield fieldError.invalid(field, "resource", message);
    }
  } else if (resourceFieldRef) yield* checkResourceFieldRef(`${field}.resourceFieldRef`, resourceFieldRef, true);
  else yield fieldError.required(field, "one of fieldRef and resourceFieldRef is required");
  yield* checkFileMode(`${field}.mode`, mode);
}

/** A volume of several sources, no two of which may write the same file. */
export function* checkProjected(field: string, { defaultMode, sources = [] }: ProjectedVolumeSource): Findings {
  yield* checkFileMode(`${field}.defaultMode`, defaultMode);
  const paths = new Set<string>();
  for (const [index, source] of sources.entries()) {
    const path = `${field}.sources[${index}]`;
    yield* checkProjection({ field, path, paths }, source);
    if (Object.values(source).filter((part) => part !== undefined).length > 1) {
      yield fieldError.forbidden(path, "may not specify more than 1 volume type per source");
    }
  }
}

interface Place {
  /** Of the volume; some findings are about it as a whole. */
  readonly field: string;
  readonly path: string;
  readonly paths: Set<string>;
}

function* checkProjection({ field, path, paths }: Place, source: VolumeProjection): Findings {
  for (const kind of ["secret", "configMap"] as const) {
    const part = source[kind];
    if (!part) continue;
    yield* checkRequired(`${path}.${kind}.name`, part.name);
    yield* checkKeysToPaths(`${path}.${kind}.items`, part.items ?? []);
    for (const item of part.items ?? []) yield* checkOtherPath(field, { path: item.path, shown: part.name, paths });
  }
  for (const file of source.downwardAPI?.items ?? []) {
    yield* checkDownwardFile(`${path}.downwardAPI`, file);
    yield* checkOtherPath(field, { path: file.path, shown: file.path, paths });
  }
  if (source.serviceAccountToken) yield* checkToken(field, path, source.serviceAccountToken);
  if (source.clusterTrustBundle) {
    yield* checkTrustBundle(`${path}.clusterTrustBundle`, source.clusterTrustBundle);
    const file = source.clusterTrustBundle.path;
    yield* checkOtherPath(field, { path: file, shown: file, paths });
  }
}

function* checkOtherPath(
  field: string,
  { path, shown, paths }: { readonly path: string; readonly shown: string | undefined; readonly paths: Set<string> },
): Findings {
  if (!path) return;
  if (paths.has(path)) yield fieldError.invalid(field, shown ?? "", "conflicting duplicate paths");
  paths.add(path);
}

function* checkToken(field: string, path: string, token: ServiceAccountTokenProjection): Findings {
  const seconds = token.expirationSeconds ?? 0;
  const secondsField = `${path}.serviceAccountToken.expirationSeconds`;
  if (seconds < 600) {
    yield fieldError.invalid(secondsField, seconds, "may not specify a duration less than 10 minutes");
  }
  if (seconds > 2 ** 32) {
    yield fieldError.invalid(secondsField, seconds, "may not specify a duration larger than 2^32 seconds");
  }
  if (token.path) yield* checkVolumeFilePath(`${field}.path`, token.path);
  else yield fieldError.required(`${field}.path`);
}

function* checkTrustBundle(field: string, bundle: ClusterTrustBundleProjection): Findings {
  const { name, signerName, labelSelector, path } = bundle;
  if (name !== undefined && signerName !== undefined) {
    yield fieldError.invalid(field, bundle, "only one of name and signerName may be used");
  } else if (name !== undefined) {
    if (name === "") yield fieldError.required(`${field}.name`, "must be a valid object name");
    if (labelSelector !== undefined) {
      const message = "labelSelector must be unset if name is specified";
      yield fieldError.invalid(`${field}.labelSelector`, labelSelector, message);
    }
  } else if (signerName !== undefined) {
    if (signerName === "") yield fieldError.required(`${field}.signerName`, "must be a valid signer name");
    yield* checkLabelSelector(`${field}.labelSelector`, labelSelector);
  } else yield fieldError.required(field, "either name or signerName must be specified");
  yield* checkRequired(`${field}.path`, path);
  yield* checkVolumeFilePath(`${field}.path`, path ?? "");
}
