import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { TopologySelectorTerm } from "../../generated/types/core-v1.ts";
import type { StorageClass } from "../../generated/types/storage-v1.ts";
import {
  checkChoice,
  checkImmutable,
  checkQualifiedName,
  checkUnique,
  type Findings,
} from "../../validation/checks.ts";

const most = { parameters: 512, parameterBytes: 262_144 };

/** A class of volumes. */
export function* checkStorageClass(storageClass: StorageClass): Findings {
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies = [] } = storageClass;
  yield* checkDriver("provisioner", provisioner);
  yield* checkParameters("parameters", parameters);
  if (reclaimPolicy) yield* checkChoice("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]);
  if (volumeBindingMode === undefined) yield fieldError.required("volumeBindingMode");
  yield* checkChoice("volumeBindingMode", volumeBindingMode, ["Immediate", "WaitForFirstConsumer"]);
  for (const [index, term] of allowedTopologies.entries()) {
    const path = `allowedTopologies[${index}]`;
    yield* checkTopology(path, term);
    const same = allowedTopologies.slice(0, index).some((other) => jsonEqual(valuesByKey(other), valuesByKey(term)));
    if (same) yield fieldError.duplicate(`${path}.matchLabelExpressions`, "");
  }
}

const valuesByKey = ({ matchLabelExpressions = [] }: TopologySelectorTerm) =>
  Object.fromEntries(matchLabelExpressions.map(({ key, values = [] }) => [key, [...new Set(values)].sort()]));

/** Who serves volumes, by a name that may have capitals. */
export function* checkDriver(field: string, name: string | undefined): Findings {
  if (!name) yield fieldError.required(field);
  else yield* checkQualifiedName(field, name.toLowerCase());
}

/** What a driver is told. */
export function* checkParameters(field: string, parameters: Readonly<Record<string, string>> = {}): Findings {
  const entries = Object.entries(parameters);
  if (entries.length > most.parameters) return yield fieldError.tooLong(field, most.parameters);
  let bytes = 0;
  for (const [key, value] of entries) {
    if (key === "") yield fieldError.invalid(field, key, "field can not be empty.");
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > most.parameterBytes) yield fieldError.tooLong(field, most.parameterBytes);
}

function* checkTopology(field: string, { matchLabelExpressions = [] }: TopologySelectorTerm): Findings {
  const keys = new Set<string>();
  for (const [index, { key, values = [] }] of matchLabelExpressions.entries()) {
    const path = `${field}.matchLabelExpressions[${index}]`;
    if (values.length === 0) yield fieldError.required(`${path}.values`);
    const seen = new Set<string>();
    for (const [position, value] of values.entries()) yield* checkUnique(`${path}.values[${position}]`, value, seen);
    yield* checkQualifiedName(`${path}.key`, key ?? "");
    yield* checkUnique(`${path}.key`, key ?? "", keys);
  }
}

/** A change of a class: of what volumes are made stays. */
export function* checkStorageClassUpdate(storageClass: StorageClass, old: StorageClass): Findings {
  if (!jsonEqual(storageClass.parameters ?? {}, old.parameters ?? {})) {
    yield fieldError.forbidden("parameters", "updates to parameters are forbidden.");
  }
  if (storageClass.provisioner !== old.provisioner) {
    yield fieldError.forbidden("provisioner", "updates to provisioner are forbidden.");
  }
  if (storageClass.reclaimPolicy !== old.reclaimPolicy) {
    yield fieldError.forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden.");
  }
  yield* checkImmutable("volumeBindingMode", storageClass.volumeBindingMode, old.volumeBindingMode);
}
