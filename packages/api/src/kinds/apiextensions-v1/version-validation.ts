import { isJsonObject, type JsonObject } from "@skiff/base";
import { simplePath } from "../../custom-resources/custom-columns.ts";
import { fieldError } from "../../field-error.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  SelectableField,
} from "../../generated/types/apiextensions-v1.ts";
import type { Findings } from "../../validation/checks.ts";
import { checkDefaults } from "./default-validation.ts";
import { checkJsonSchema } from "./json-schema-validation.ts";
import { structuralFindings } from "./structural-validation.ts";

/** Findings in one version of a definition. `structural`: the schema must be one. */
export function* checkVersion(field: string, version: CustomResourceDefinitionVersion, structural: boolean): Findings {
  yield* checkDeprecation(field, version);
  const schema: unknown = version.schema?.openAPIV3Schema;
  const hasStatus = version.subresources?.status !== undefined;
  if (isJsonObject(schema)) yield* checkSchema(`${field}.schema.openAPIV3Schema`, schema, { hasStatus, structural });
  yield* checkSubresources(`${field}.subresources`, version.subresources);
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries()) {
    yield* checkColumn(`${field}.additionalPrinterColumns[${index}]`, column);
  }
  yield* checkSelectable(
    `${field}.selectableFields`,
    version.selectableFields ?? [],
    isJsonObject(schema) ? schema : {},
  );
}

function* checkDeprecation(
  field: string,
  { deprecated, deprecationWarning: warning }: CustomResourceDefinitionVersion,
): Findings {
  if (warning === undefined) return;
  const refuse = (message: string) => fieldError.invalid(`${field}.deprecationWarning`, warning, message);
  if (deprecated !== true) yield refuse("can only be set for deprecated versions");
  if (warning === "") yield refuse("must not be empty");
  if (Buffer.byteLength(warning) > 256) yield refuse("must be <= 256 characters long");
  const at = [...warning].findIndex((character) => /[^\P{C}]|[^\P{Z} ]/u.test(character));
  if (at !== -1)
    yield refuse(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
}

/** What may stand at the root beside a status of its own, as Kubernetes lists it. */
const atRoot = [
  "Description",
  "Type",
  "Format",
  "Title",
  "Maximum",
  "ExclusiveMaximum",
  "Minimum",
  "ExclusiveMinimum",
  "MaxLength",
  "MinLength",
  "Pattern",
  "MaxItems",
  "MinItems",
  "UniqueItems",
  "MultipleOf",
  "Required",
  "Items",
  "Properties",
  "ExternalDocs",
  "Example",
  "XPreserveUnknownFields",
  "XValidations",
];

const goName = (name: string): string => {
  if (name === "x-kubernetes-preserve-unknown-fields") return "XPreserveUnknownFields";
  if (name === "x-kubernetes-validations") return "XValidations";
  return name.charAt(0).toUpperCase() + name.slice(1);
};

interface SchemaRules {
  readonly hasStatus: boolean;
  readonly structural: boolean;
}

function* checkSchema(field: string, schema: JsonObject, { hasStatus, structural }: SchemaRules): Findings {
  if (hasStatus) {
    if (schema.type !== undefined && schema.type !== "" && schema.type !== "object") {
      const message = `only "object" is allowed as the type at the root of the schema if the status subresource is enabled`;
      yield fieldError.invalid(`${field}.type`, schema.type, message);
    } else if (Object.keys(schema).some((name) => !atRoot.includes(goName(name)))) {
      const message = `only [${atRoot.join(" ")}] fields are allowed at the root of the schema if the status subresource is enabled`;
      yield fieldError.invalid(field, schema, message);
    }
  }
  if (schema.nullable === true) yield fieldError.forbidden(`${field}.nullable`, "nullable cannot be true at the root");
  yield* checkJsonSchema(field, schema);
  if (!structural) return;
  const shape = structuralFindings(field, schema);
  if (shape.length > 0) yield* shape;
  else yield* checkDefaults(field, schema);
}

function* checkSimplePath(field: string, path: string): Findings {
  if (!path.startsWith(".")) yield fieldError.invalid(field, path, "must be a simple json path starting with .");
}

function* checkSubresources(field: string, subresources: CustomResourceSubresources | undefined): Findings {
  const scale = subresources?.scale;
  if (scale === undefined) return;
  for (const [name, root] of [
    ["specReplicasPath", "spec"],
    ["statusReplicasPath", "status"],
  ] as const) {
    const path = scale[name];
    const here = `${field}.scale.${name}`;
    if (!path) yield fieldError.required(here);
    else yield* checkScalePath(here, path, { roots: [root], message: `should be a json path under .${root}` });
  }
  if (scale.labelSelectorPath) {
    const message = "should be a json path under either .spec or .status";
    yield* checkScalePath(`${field}.scale.labelSelectorPath`, scale.labelSelectorPath, {
      roots: ["spec", "status"],
      message,
    });
  }
}

interface PathRules {
  readonly roots: readonly string[];
  readonly message: string;
}

function* checkScalePath(field: string, path: string, { roots, message }: PathRules): Findings {
  const found = [...checkSimplePath(field, path)];
  if (found.length > 0) yield* found;
  else if (!roots.some((root) => path.startsWith(`.${root}.`))) yield fieldError.invalid(field, path, message);
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

function* checkColumn(field: string, { name, type, format, jsonPath }: CustomResourceColumnDefinition): Findings {
  const among = (values: readonly string[]) => `must be one of ${values.join(",")}`;
  if (!name) yield fieldError.required(`${field}.name`);
  if (!type) yield fieldError.required(`${field}.type`, among(columnTypes));
  else if (!columnTypes.includes(type)) yield fieldError.invalid(`${field}.type`, type, among(columnTypes));
  if (format && !columnFormats.includes(format)) {
    yield fieldError.invalid(`${field}.format`, format, among(columnFormats));
  }
  if (!jsonPath) yield fieldError.required(`${field}.JSONPath`);
  else yield* checkSimplePath(`${field}.JSONPath`, jsonPath);
}

const mostSelectable = 8;

function* checkSelectable(field: string, fields: readonly SelectableField[], schema: JsonObject): Findings {
  const seen = new Set<string>();
  for (const [index, { jsonPath }] of fields.entries()) {
    const here = `${field}[${index}]`;
    if (!jsonPath) {
      yield fieldError.required(`${here}.jsonPath`);
      continue;
    }
    const steps = simplePath(jsonPath);
    const found = /^(?:\.[A-Za-z_][\w-]*)+$/.test(jsonPath) ? schemaAt(schema, steps) : undefined;
    if (found === undefined) {
      yield fieldError.invalid(`${here}.jsonPath`, jsonPath, "is an invalid path: does not refer to a valid field");
      continue;
    }
    if (steps[0] === "metadata") yield fieldError.invalid(here, jsonPath, "must not point to fields in metadata");
    if (!["string", "boolean", "integer"].includes(String(found.type))) {
      const message =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      yield fieldError.invalid(here, jsonPath, message);
    }
    const identity = steps.join(".");
    if (seen.has(identity)) yield fieldError.duplicate(here, jsonPath);
    seen.add(identity);
  }
  if (seen.size > mostSelectable) yield fieldError.tooMany(field, seen.size, mostSelectable);
}

const textSchema: JsonObject = { type: "string" };

/** The schema of a field; metadata has its name and namespace whatever the schema says. */
function schemaAt(schema: JsonObject, steps: readonly string[]): JsonObject | undefined {
  const [first, ...rest] = steps;
  if (first === undefined) return schema;
  const member = isJsonObject(schema.properties) ? schema.properties[first] : undefined;
  if (isJsonObject(member)) return schemaAt(member, rest) ?? (first === "metadata" ? textSchema : undefined);
  return first === "metadata" ? textSchema : undefined;
}
