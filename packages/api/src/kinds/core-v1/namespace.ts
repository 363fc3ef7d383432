import { deepCopy } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { Namespace } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { dnsLabelName } from "../../validation/names.ts";
import { age } from "../columns.ts";

const columns: readonly Column<Namespace>[] = [
  { title: "Status", description: "The status of the namespace", value: ({ status }) => status?.phase ?? "" },
  age,
];

/** The label by which selectors find a namespace by its name. */
const nameLabel = "kubernetes.io/metadata.name";

function labelWithName({ metadata }: Namespace): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
}

/** `namespaces`. */
export const Namespaces = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  generation: "none",
  columns,
  selectableFields: [{ path: "status.phase", value: ({ status }) => status?.phase ?? "" }],
  validateName: dnsLabelName,
  defaults(namespace) {
    namespace.spec ??= {};
    labelWithName(namespace);
  },
  prepareCreate(namespace) {
    labelWithName(namespace);
    namespace.status = { phase: "Active" };
    const finalizers = namespace.spec.finalizers ?? [];
    // Holds the namespace until its content is gone; removed through the finalize subresource.
    if (!finalizers.includes("kubernetes")) namespace.spec.finalizers = [...finalizers, "kubernetes"];
  },
  prepareUpdate(namespace, old) {
    namespace.spec = deepCopy(old.spec);
  },
});
