import { deepCopy } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { CustomResourceDefinition } from "../../generated/types/apiextensions-v1.ts";
import { checkDefinition, checkDefinitionChange, checkStatus, checkStoredVersions } from "./definition-validation.ts";

/** Versions that objects may be stored in so far: the storage version joins, none leaves by itself. */
function addStoredVersion(definition: CustomResourceDefinition): void {
  const storage = definition.spec.versions?.find((version) => version.storage)?.name;
  if (storage === undefined) return;
  const stored = definition.status.storedVersions ?? [];
  if (!stored.includes(storage)) definition.status.storedVersions = [...stored, storage];
}

/** `customresourcedefinitions.apiextensions.k8s.io`. */
export const CustomResourceDefinitions = defineResource<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  emptyStatus: { acceptedNames: { plural: "", kind: "" } },
  defaults(definition) {
    // What must be there is empty where it is missing, for validation to say so.
    definition.spec ??= { group: "", scope: "", names: { plural: "", kind: "" }, versions: [] };
    const { spec } = definition;
    spec.names ??= { plural: "", kind: "" };
    spec.versions ??= [];
    if (spec.preserveUnknownFields === false) delete spec.preserveUnknownFields;
    spec.conversion ??= { strategy: "None" };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service !== undefined) service.port ??= 443;
    spec.names.singular ||= spec.names.kind?.toLowerCase();
    if (spec.names.kind) spec.names.listKind ||= `${spec.names.kind}List`;
  },
  prepareCreate: addStoredVersion,
  prepareUpdate(definition) {
    definition.status = deepCopy(definition.status ?? {});
    addStoredVersion(definition);
  },
  validate: (definition, old) => [...checkDefinition(definition, old)],
  validateUpdate: (definition, old) => [...checkDefinitionChange(definition, old)],
  validateStatusUpdate: (definition) => [...checkStatus(definition), ...checkStoredVersions(definition)],
});
