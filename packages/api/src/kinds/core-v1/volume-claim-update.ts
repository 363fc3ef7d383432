import { deepCopy, jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { PersistentVolumeClaim } from "../../generated/types/core-v1.ts";
import { compareQuantities } from "../../quantity.ts";
import { checkImmutable, type Findings, immutableMessage } from "../../validation/checks.ts";
import { specDifference } from "../spec-difference.ts";

const classAnnotation = "volume.beta.kubernetes.io/storage-class";

/** A change of a claim: of its spec little but the size, and that upwards. */
export function* checkClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): Findings {
  const now = deepCopy(claim.spec);
  const before = deepCopy(old.spec);
  if (!before.volumeName) before.volumeName = now.volumeName;
  yield* checkClass(claim, old);
  const className = old.metadata.annotations?.[classAnnotation];
  const takesClass =
    before.storageClassName === undefined &&
    now.storageClassName !== undefined &&
    (className === undefined || now.storageClassName === className);
  if (takesClass) before.storageClassName = now.storageClassName;
  if (claim.status?.phase === "Bound") {
    if (now.resources?.requests) now.resources.requests.storage = before.resources?.requests?.storage ?? "0";
    now.volumeAttributesClassName = before.volumeAttributesClassName;
  }
  if (!jsonEqual(now, before)) {
    const message =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    const difference = specDifference("core.PersistentVolumeClaimSpec", before, now);
    yield fieldError.forbidden("spec", `${message}\n${difference}`);
  }
  yield* checkSize(claim, old);
  yield* checkImmutable("volumeMode", claim.spec.volumeMode, old.spec.volumeMode);
  yield* checkAttributesClass(claim, old);
}

/** The annotation of before there was a field for the class. */
function* checkClass(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): Findings {
  const value = claim.metadata.annotations?.[classAnnotation] ?? "";
  const before = old.metadata.annotations?.[classAnnotation];
  const moves =
    before !== undefined && old.spec.storageClassName === undefined && claim.spec.storageClassName === before;
  if (moves && (value === "" || value === before)) return;
  if (value === (before ?? "")) return;
  yield fieldError.invalid(`metadata.annotations.${classAnnotation}`, value, immutableMessage);
}

/** A claim may ask for less again, after an expansion that failed, but not for less than it has. */
function* checkSize(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): Findings {
  const size = claim.spec.resources?.requests?.storage ?? "0";
  if (compareQuantities(size, old.spec.resources?.requests?.storage ?? "0") >= 0) return;
  if (compareQuantities(size, old.status?.capacity?.storage ?? "0") > 0) return;
  yield fieldError.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
}

function* checkAttributesClass({ spec }: PersistentVolumeClaim, old: PersistentVolumeClaim): Findings {
  const name = spec.volumeAttributesClassName;
  if (name === old.spec.volumeAttributesClassName) return;
  if (old.status?.currentVolumeAttributesClassName === undefined || name) return;
  const what = name === undefined ? "nil" : "empty string";
  const message = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  yield fieldError.forbidden("spec.volumeAttributesClassName", message);
}
