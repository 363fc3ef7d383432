import { StatusError } from "../status-error.ts";
import type { OwnerEntry } from "./entries.ts";
import { type FieldSet, isEmptySet, pathsOf } from "./field-set.ts";
import { pathText } from "./path-element.ts";

/** Fields that a configuration would change and that belong to another entry. */
export interface Conflict {
  readonly owner: OwnerEntry;
  readonly fields: FieldSet;
}

/** The 409 with which server-side apply refuses, one cause a field. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const owners = conflicts
    .filter(({ fields }) => !isEmptySet(fields))
    .map(({ owner, fields }) => ({ name: ownerText(owner), paths: pathsOf(fields).map(pathText).sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const causes = owners.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${name}`, field })),
  );
  const [only] = causes;
  const message =
    causes.length === 1 && only !== undefined
      ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
      : `Apply failed with ${causes.length} conflicts: ${owners
          .map(({ name, paths }) => `conflicts with ${name}:\n${paths.map((path) => `- ${path}`).join("\n")}`)
          .join("\n")}`;
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason: "Conflict",
    details: { causes },
    code: 409,
  });
}

/** `"kubectl" using apps/v1`, `"kubelet" with subresource "status" using v1`; appliers by name alone. */
function ownerText({ manager, operation, apiVersion, subresource }: OwnerEntry): string {
  const name = JSON.stringify(manager);
  const where = subresource === "" ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === "Update" ? `${where} using ${apiVersion}` : where;
}
