import { deepCopy, isJsonObject, type JsonObject } from "@skiff/base";
import type { DynamicObject } from "../../object.ts";
import { objectIn, objectsIn, rename } from "./members.ts";
import type { OldForm } from "./removed-version.ts";

const keepsUnknown = "x-kubernetes-preserve-unknown-fields";

/** Parts that all versions could have in common, by the names that they have in each version. */
const shared = [
  ["validation", "schema"],
  ["subresources", "subresources"],
  ["additionalPrinterColumns", "additionalPrinterColumns"],
] as const;

/**
 * Makes an old schema structural, as today's must be: where it says nothing of a value's type, the value may be anything.
 * (The old version took schemas that said as little as they liked.)
 */
function makeStructural(schema: JsonObject): JsonObject {
  const { properties, items, additionalProperties } = schema;
  if (schema.type === undefined) {
    if (isJsonObject(properties) || isJsonObject(additionalProperties)) schema.type = "object";
    else if (isJsonObject(items)) schema.type = "array";
    else if (schema["x-kubernetes-int-or-string"] !== true) schema[keepsUnknown] = true;
  }
  if (isJsonObject(properties)) Object.values(properties).filter(isJsonObject).forEach(makeStructural);
  if (isJsonObject(items)) makeStructural(items);
  if (isJsonObject(additionalProperties)) makeStructural(additionalProperties);
  return schema;
}

function todaysSchema(validation: JsonObject, prunes: boolean): JsonObject {
  const root = objectIn(validation, "openAPIV3Schema");
  const schema = makeStructural({ ...root, type: root.type ?? "object" });
  if (!prunes) schema[keepsUnknown] = true;
  return { openAPIV3Schema: schema };
}

function versionToToday(version: JsonObject, common: JsonObject, prunes: boolean): void {
  for (const [old, today] of shared) {
    const value = common[old];
    if (version[today] === undefined && value !== undefined) version[today] = deepCopy(value);
  }
  version.schema = todaysSchema(objectIn(version, "schema"), prunes);
  for (const column of objectsIn(version, "additionalPrinterColumns")) rename(column, "JSONPath", "jsonPath");
}

function conversionToToday(spec: JsonObject): void {
  const conversion = objectIn(spec, "conversion");
  const { webhookClientConfig, conversionReviewVersions, ...rest } = conversion;
  if (rest.strategy !== "Webhook") return;
  const clientConfig = webhookClientConfig ?? {};
  const versions = conversionReviewVersions ?? ["v1beta1"];
  spec.conversion = { ...rest, webhook: { clientConfig, conversionReviewVersions: versions } };
}

function conversionFromToday(spec: JsonObject): void {
  const { webhook, ...rest } = { webhook: undefined, ...objectIn(spec, "conversion") };
  if (!isJsonObject(webhook)) return;
  const { clientConfig = {}, conversionReviewVersions = [] } = webhook;
  spec.conversion = { ...rest, webhookClientConfig: clientConfig, conversionReviewVersions };
}

function toToday(definition: DynamicObject): DynamicObject {
  const spec = objectIn(definition, "spec");
  const { version } = spec;
  if (objectsIn(spec, "versions").length === 0 && typeof version === "string") {
    spec.versions = [{ name: version, served: true, storage: true }];
  }
  const prunes = spec.preserveUnknownFields === false;
  for (const one of objectsIn(spec, "versions")) versionToToday(one, spec, prunes);
  conversionToToday(spec);
  for (const [old] of shared) delete spec[old];
  delete spec.version;
  delete spec.preserveUnknownFields;
  return definition;
}

function fromToday(definition: DynamicObject): DynamicObject {
  const spec = objectIn(definition, "spec");
  const versions = objectsIn(spec, "versions");
  for (const version of versions) {
    for (const column of objectsIn(version, "additionalPrinterColumns")) rename(column, "jsonPath", "JSONPath");
  }
  const [first] = versions;
  if (first?.name !== undefined) spec.version = first.name;
  if (first !== undefined && versions.length === 1) {
    for (const [old, today] of shared) {
      const value = first[today];
      if (value === undefined) continue;
      spec[old] = value;
      delete first[today];
    }
  }
  const schema = objectIn(objectIn(spec, "validation"), "openAPIV3Schema");
  spec.preserveUnknownFields = schema[keepsUnknown] === true;
  conversionFromToday(spec);
  return definition;
}

/** `apiextensions.k8s.io/v1beta1`: one schema for all versions, or none at all; nothing pruned unless asked for. */
export const firstCustomResourceDefinition: OldForm = {
  schema: "apiextensions.v1beta1.CustomResourceDefinition",
  defaults(definition) {
    const spec = objectIn(definition, "spec");
    spec.scope ||= "Namespaced";
  },
  toToday,
  fromToday,
};
