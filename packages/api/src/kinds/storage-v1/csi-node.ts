import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { CSINode, CSINodeDriver } from "../../generated/types/storage-v1.ts";
import type { Column } from "../../resource-definition.ts";
import {
  checkImmutable,
  checkNonNegative,
  checkQualifiedName,
  checkUnique,
  type Findings,
} from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { checkCsiDriverName } from "../core-v1/remote-volume-validation.ts";

const longestNodeId = 256;

const columns: readonly Column<CSINode>[] = [
  {
    title: "Drivers",
    type: "integer",
    description: "Drivers indicates the number of CSI drivers registered on the node",
    value: ({ spec }) => spec?.drivers?.length ?? 0,
  },
  age,
];

function* checkNode({ spec }: CSINode): Findings {
  const names = new Set<string>();
  for (const [index, driver] of (spec?.drivers ?? []).entries()) {
    const path = `spec.drivers[${index}]`;
    yield* checkDriver(path, driver);
    yield* checkUnique(`${path}.name`, driver.name ?? "", names);
    yield* checkTopologyKeys(path, driver.topologyKeys ?? []);
  }
}

function* checkDriver(field: string, { name = "", nodeID, allocatable }: CSINodeDriver): Findings {
  yield* checkCsiDriverName(`${field}.name`, name);
  if (!nodeID) yield fieldError.required(`${field}.nodeID`);
  else if (nodeID.length > longestNodeId) {
    yield fieldError.invalid(`${field}.nodeID`, nodeID, `must be ${longestNodeId} characters or less`);
  }
  yield* checkNonNegative(`${field}.allocatable.count`, allocatable?.count);
}

function* checkTopologyKeys(field: string, keys: readonly string[]): Findings {
  const seen = new Set<string>();
  for (const key of keys) {
    if (key === "") yield fieldError.required(field);
    yield* checkUnique(field, key, seen);
    yield* checkQualifiedName(field, key);
  }
}

/** What a driver says of itself stays, but how many volumes it takes. */
function* checkUpdate({ spec }: CSINode, old: CSINode): Findings {
  const fixed = ({ allocatable: _allocatable, ...rest }: CSINodeDriver) => rest;
  for (const before of old.spec?.drivers ?? []) {
    for (const now of spec?.drivers ?? []) {
      if (now.name === before.name) yield* checkImmutable("spec.drivers", fixed(now), fixed(before));
    }
  }
}

/** `csinodes.storage.k8s.io`. */
export const CSINodes = defineResource<CSINode>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  columns,
  validate: (node) => [...checkNode(node)],
  validateUpdate: (node, old) => [...checkUpdate(node, old)],
});
