import { deepCopy } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { Namespace } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkQualifiedName, type Findings } from "../../validation/checks.ts";
import { dnsLabelName } from "../../validation/names.ts";
import { checkKnownFinalizer } from "../../validation/object-meta.ts";
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

function* checkNamespace({ spec }: Namespace): Findings {
  for (const finalizer of spec?.finalizers ?? []) {
    yield* checkQualifiedName("spec.finalizers", finalizer);
    yield* checkKnownFinalizer("spec.finalizers", finalizer);
  }
}

function* checkPhase({ metadata, status }: Namespace): Findings {
  const { deletionTimestamp } = metadata;
  const expected = deletionTimestamp === undefined ? "Active" : "Terminating";
  if (status.phase === expected) return;
  const state = deletionTimestamp === undefined ? "empty" : "not empty";
  const message = `may only be '${expected}' if \`deletionTimestamp\` is ${state}`;
  yield fieldError.invalid("status.Phase", status.phase ?? "", message);
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
  validate: (namespace) => [...checkNamespace(namespace)],
  validateStatusUpdate: (namespace) => [...checkPhase(namespace)],
  prepareUpdate(namespace, old) {
    namespace.spec = deepCopy(old.spec);
  },
});
