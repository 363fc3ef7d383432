import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from "../../generated/types/apiextensions-v1.ts";
import { checkImmutable, checkRequired, checkRequiredChoice, type Findings } from "../../validation/checks.ts";
import { dns1035Label, dnsSubdomain } from "../../validation/names.ts";
import { approvalOf } from "./api-approval.ts";
import { checkConversion } from "./conversion-validation.ts";
import { checkVersion } from "./version-validation.ts";

/** Findings in a definition, new or about to replace `old`. */
export function* checkDefinition(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): Findings {
  const { metadata, spec } = definition;
  if (old === undefined && metadata.name !== `${spec?.names?.plural ?? ""}.${spec?.group ?? ""}`) {
    yield fieldError.invalid("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group');
  }
  if (spec !== undefined) yield* checkSpec("spec", spec, old);
  yield* checkStatus(definition);
  yield* checkStoredVersions(definition);
  yield* checkApproval(definition, old);
  if (spec?.preserveUnknownFields === true && old?.spec.preserveUnknownFields !== true) {
    const message =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    yield fieldError.invalid("spec.preserveUnknownFields", true, message);
  }
}

function* checkSpec(
  field: string,
  spec: CustomResourceDefinitionSpec,
  old: CustomResourceDefinition | undefined,
): Findings {
  yield* checkGroup(`${field}.group`, spec.group);
  yield* checkRequiredChoice(`${field}.scope`, spec.scope, ["Cluster", "Namespaced"]);
  const versions = spec.versions ?? [];
  for (const [index, { served, schema }] of versions.entries()) {
    if (!served || schema?.openAPIV3Schema !== undefined) continue;
    yield fieldError.required(`${field}.versions[${index}].schema.openAPIV3Schema`, "schemas are required");
  }
  for (const [index, version] of versions.entries()) {
    const here = `${field}.versions[${index}]`;
    const faults = dns1035Label(version.name ?? "");
    if (faults.length > 0) yield fieldError.invalid(`${here}.name`, version.name ?? "", faults.join(","));
    // What was stored with a schema that nobody would take today may be changed elsewhere.
    const known = old?.spec.versions.find(({ name }) => name === version.name);
    if (known !== undefined && jsonEqual(known, version)) continue;
    yield* checkVersion(here, version, spec.preserveUnknownFields !== true);
  }
  if (new Set(versions.map(({ name }) => name)).size !== versions.length) {
    yield fieldError.invalid(`${field}.versions`, versions, "must contain unique version names");
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    yield fieldError.invalid(`${field}.versions`, versions, "must have exactly one version marked as storage version");
  }
  const names: Partial<CustomResourceDefinitionNames> = spec.names ?? {};
  for (const name of ["plural", "singular", "kind", "listKind"] as const) {
    yield* checkRequired(`${field}.names.${name}`, names[name]);
  }
  yield* checkNames(`${field}.names`, names);
  yield* checkConversion(`${field}.conversion`, spec);
}

function* checkGroup(field: string, group: string | undefined): Findings {
  if (!group) {
    yield fieldError.required(field);
    return;
  }
  const faults = dnsSubdomain(group);
  if (faults.length > 0) yield fieldError.invalid(field, group, faults.join(","));
  else if (!group.includes(".")) yield fieldError.invalid(field, group, "should be a domain with at least one dot");
}

function* checkNames(field: string, names: Partial<CustomResourceDefinitionNames>): Findings {
  const { kind, listKind, shortNames = [], categories = [] } = names;
  for (const name of ["plural", "singular"] as const) yield* checkLabel(`${field}.${name}`, names[name]);
  for (const name of ["kind", "listKind"] as const) {
    const value = names[name];
    const faults = value ? dns1035Label(value.toLowerCase()) : [];
    if (faults.length === 0) continue;
    const message = `may have mixed case, but should otherwise match: ${faults.join(",")}`;
    yield fieldError.invalid(`${field}.${name}`, value, message);
  }
  for (const [index, name] of shortNames.entries()) yield* checkLabel(`${field}.shortNames[${index}]`, name, true);
  if (kind && kind === listKind) {
    yield fieldError.invalid(`${field}.listKind`, listKind, "kind and listKind may not be the same");
  }
  for (const [index, name] of categories.entries()) yield* checkLabel(`${field}.categories[${index}]`, name, true);
}

function* checkLabel(field: string, value: string | undefined, always = false): Findings {
  if (!value && !always) return;
  const faults = dns1035Label(value ?? "");
  if (faults.length > 0) yield fieldError.invalid(field, value, faults.join(","));
}

/** Findings in what the server tells of a definition. */
export function* checkStatus({ status }: CustomResourceDefinition): Findings {
  if (status?.acceptedNames !== undefined) yield* checkNames("status.acceptedNames", status.acceptedNames);
}

/** Findings in the list of versions that objects may be stored in. */
export function* checkStoredVersions({ spec, status }: CustomResourceDefinition): Findings {
  const field = "status.storedVersions";
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) {
    yield fieldError.invalid(field, stored, "must have at least one stored version");
    return;
  }
  for (const { name, storage } of spec?.versions ?? []) {
    if (storage && !stored.includes(name)) {
      yield fieldError.invalid(field, stored, `must have the storage version ${name}`);
    }
  }
  for (const [index, name] of stored.entries()) {
    if (spec?.versions?.some((version) => version.name === name)) continue;
    const message = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    yield fieldError.invalid(`${field}[${index}]`, name, message);
  }
}

function* checkApproval(definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined): Findings {
  const approval = approvalOf(definition);
  if (approval === undefined || approval.isSound) return;
  // A definition that was there before the rule may stay as it is.
  if (old !== undefined && approvalOf(old)?.annotation === approval.annotation) return;
  const field = "metadata.annotations[api-approved.kubernetes.io]";
  if (approval.annotation === "") yield fieldError.required(field, approval.message);
  else yield fieldError.invalid(field, approval.annotation, approval.message);
}

/** Findings in a change. Names and scope are part of the addresses that clients and the store know. */
export function* checkDefinitionChange(definition: CustomResourceDefinition, old: CustomResourceDefinition): Findings {
  const established = old.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True");
  const { spec } = definition;
  if (established === true) {
    yield* checkImmutable("spec.scope", spec.scope, old.spec.scope);
    yield* checkImmutable("spec.names.kind", spec.names?.kind, old.spec.names.kind);
  }
  yield* checkImmutable("spec.group", spec.group, old.spec.group);
  yield* checkImmutable("spec.names.plural", spec.names?.plural, old.spec.names?.plural);
}
