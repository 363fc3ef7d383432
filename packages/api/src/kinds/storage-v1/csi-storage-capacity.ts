import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { CSIStorageCapacity } from "../../generated/types/storage-v1.ts";
import { compareQuantities } from "../../quantity.ts";
import type { Column } from "../../resource-definition.ts";
import { checkDnsSubdomain, checkImmutable, type Findings, notNegativeMessage } from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { age } from "../columns.ts";

const columns: readonly Column<CSIStorageCapacity>[] = [
  { title: "StorageClassName", value: ({ storageClassName }) => storageClassName },
  { title: "Capacity", value: ({ capacity }) => capacity ?? "<unset>" },
  age,
];

function* checkCapacity({ nodeTopology, storageClassName, capacity }: CSIStorageCapacity): Findings {
  yield* checkLabelSelector("nodeTopology", nodeTopology);
  yield* checkDnsSubdomain("storageClassName", storageClassName ?? "");
  if (capacity === undefined || compareQuantities(capacity, "0") >= 0) return;
  yield fieldError.invalid("capacity", capacity, notNegativeMessage);
}

/** `csistoragecapacities.storage.k8s.io`. */
export const CSIStorageCapacities = defineResource<CSIStorageCapacity>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  columns,
  validate: (capacity) => [...checkCapacity(capacity)],
  validateUpdate: (capacity, old) => [
    ...checkImmutable("nodeTopology", capacity.nodeTopology, old.nodeTopology),
    ...checkImmutable("storageClassName", capacity.storageClassName, old.storageClassName),
  ],
});
