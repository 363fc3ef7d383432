import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
  TypedObjectReference,
} from "../../generated/types/core-v1.ts";
import { compareQuantities, parseQuantity } from "../../quantity.ts";
import {
  checkChoice,
  checkDnsLabel,
  checkDnsSubdomain,
  type Findings,
  notPositiveMessage,
} from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { checkAmount, checkStorageResourceName } from "./resource-validation.ts";

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
export const volumeModes = ["Block", "Filesystem"];

/** Modes that a volume has, or that a claim wants. */
export function* checkAccessModes(field: string, modes: readonly string[]): Findings {
  for (const mode of modes) yield* checkChoice(field, mode, accessModes);
  const others = modes.some((mode) => mode !== "ReadWriteOncePod" && accessModes.includes(mode));
  if (modes.includes("ReadWriteOncePod") && others) {
    yield fieldError.forbidden(field, "may not use ReadWriteOncePod with other access modes");
  }
}

/** A claim's spec, also within the template of a claim. `old`: what it was. */
export function* checkClaimSpec(
  field: string,
  spec: PersistentVolumeClaimSpec,
  old?: PersistentVolumeClaimSpec,
): Findings {
  const { accessModes: modes = [], storageClassName, volumeAttributesClassName, dataSource, dataSourceRef } = spec;
  if (modes.length === 0) yield fieldError.required(`${field}.accessModes`, "at least 1 access mode is required");
  yield* checkLabelSelector(`${field}.selector`, spec.selector);
  yield* checkAccessModes(`${field}.accessModes`, modes);
  yield* checkSize(`${field}.resources[storage]`, spec.resources?.requests?.storage);
  if (storageClassName) yield* checkDnsSubdomain(`${field}.storageClassName`, storageClassName);
  yield* checkChoice(`${field}.volumeMode`, spec.volumeMode, volumeModes);
  // A group that was let in before stays.
  const anyGroup = old?.dataSource?.apiGroup !== undefined || old?.dataSourceRef?.apiGroup !== undefined;
  if (dataSource) yield* checkDataSource(`${field}.dataSource`, dataSource, anyGroup);
  if (dataSourceRef) {
    yield* checkDataSource(`${field}.dataSourceRef`, dataSourceRef, anyGroup);
    if (dataSourceRef.namespace) yield* checkDnsLabel(`${field}.dataSourceRef.namespace`, dataSourceRef.namespace);
  }
  if (dataSource && dataSourceRef) {
    const path = `${field}.dataSource`;
    if (dataSourceRef.namespace) {
      yield fieldError.invalid(field, path, "may not be specified when dataSourceRef.namespace is specified");
    } else if (!jsonEqual(reference(dataSource), reference(dataSourceRef))) {
      yield fieldError.invalid(field, path, "must match dataSourceRef");
    }
  }
  if (volumeAttributesClassName) {
    yield* checkDnsSubdomain(`${field}.volumeAttributesClassName`, volumeAttributesClassName);
  }
}

const reference = ({ apiGroup, kind, name }: TypedObjectReference) => ({ apiGroup, kind, name });

function* checkSize(field: string, size: string | undefined): Findings {
  if (size === undefined) return yield fieldError.required(field);
  if (compareQuantities(size, "0") <= 0) yield fieldError.invalid(field, size, notPositiveMessage);
}

function* checkDataSource(
  field: string,
  { apiGroup = "", kind, name }: TypedLocalObjectReference | TypedObjectReference,
  anyGroup: boolean,
): Findings {
  if (!name) yield fieldError.required(`${field}.name`);
  if (!kind) yield fieldError.required(`${field}.kind`);
  if (apiGroup === "" && kind !== "PersistentVolumeClaim") {
    yield fieldError.invalid(
      field,
      kind ?? "",
      "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
    );
  }
  if (apiGroup !== "" && !anyGroup) yield* checkDnsSubdomain(`${field}.apiGroup`, apiGroup);
}

const resizeStates = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
];

/** A report of a claim's state. */
export function* checkClaimStatusUpdate({ spec, status }: PersistentVolumeClaim): Findings {
  if (!spec.accessModes?.length) yield fieldError.required("Spec.accessModes");
  for (const [name, amount] of Object.entries(status.capacity ?? {})) {
    yield* checkBasicAmount(`status.capacity[${name}]`, amount);
  }
  const states = "status.allocatedResourceStatuses";
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    yield* checkStorageResourceName(states, name);
    if (!resizeStates.includes(state)) yield fieldError.notSupported(states, name, [...resizeStates].sort());
  }
  for (const [name, amount] of Object.entries(status.allocatedResources ?? {})) {
    const problems = [...checkStorageResourceName("status.allocatedResources", name)];
    yield* problems;
    const path = `status.allocatedResources[${name}]`;
    if (problems.length > 0) continue;
    if (compareQuantities(amount, "0") < 0) yield* checkBasicAmount(path, amount);
    else yield* checkAmount(path, "storage", amount);
  }
}

/** An amount that is not negative. */
export function* checkBasicAmount(field: string, amount: string): Findings {
  if (compareQuantities(amount, "0") >= 0) return;
  const units = Number(parseQuantity(amount).nanos / 1_000_000_000n);
  yield fieldError.invalid(field, units, "must be a valid resource quantity");
}
