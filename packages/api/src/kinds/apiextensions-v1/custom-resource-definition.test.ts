import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, isJsonObject, type JsonObject } from "@skiff/base";
import { fieldErrorText } from "../../field-error.ts";
import type { CustomResourceDefinition } from "../../generated/types/apiextensions-v1.ts";
import { CustomResourceDefinitions } from "./custom-resource-definition.ts";

const base: CustomResourceDefinition = {
  metadata: { name: "tabs.example.com", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "tabs", kind: "Tab" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
  },
  status: {},
};

const isDefinition = (value: unknown): value is CustomResourceDefinition => isJsonObject(value);

function merged(target: JsonObject, patch: JsonObject): JsonObject {
  for (const [key, value] of Object.entries(patch)) {
    const inner = target[key];
    if (isJsonObject(value) && isJsonObject(inner)) merged(inner, value);
    else if (value === null) delete target[key];
    else target[key] = value;
  }
  return target;
}

/** The definition with changes, as the server completes it. */
function definition(patch: JsonObject): CustomResourceDefinition {
  const copy: unknown = deepCopy(base);
  assert(isJsonObject(copy));
  const made: unknown = merged(copy, patch);
  assert(isDefinition(made));
  CustomResourceDefinitions.defaults(made);
  CustomResourceDefinitions.prepareCreate(made, { nowMs: 0 });
  return made;
}

const findings = (patch: JsonObject): readonly string[] =>
  CustomResourceDefinitions.validate(definition(patch)).map(fieldErrorText);

const version = (more: JsonObject): JsonObject => ({
  spec: {
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } }, ...more }],
  },
});
const schema = (openAPIV3Schema: JsonObject, more: JsonObject = {}) =>
  version({ schema: { openAPIV3Schema }, ...more });
const property = (one: JsonObject) => schema({ type: "object", properties: { a: one } });

test("what is left out is filled in", () => {
  const { spec, status } = definition({});
  assert.deepEqual(spec.names, { plural: "tabs", kind: "Tab", singular: "tab", listKind: "TabList" });
  assert.deepEqual(spec.conversion, { strategy: "None" });
  assert.deepEqual(status, { acceptedNames: { plural: "", kind: "" }, storedVersions: ["v1"] });
});

const root = "spec.versions[0].schema.openAPIV3Schema";

test("findings in a definition", () => {
  const label =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
  const cases: readonly (readonly [JsonObject, readonly string[]])[] = [
    [{}, []],
    [
      { metadata: { name: "x.example.com" } },
      ['metadata.name: Invalid value: "x.example.com": must be spec.names.plural+"."+spec.group'],
    ],
    [
      { metadata: { name: "tabs.example" }, spec: { group: "example" } },
      ['spec.group: Invalid value: "example": should be a domain with at least one dot'],
    ],
    [{ spec: { scope: "x" } }, ['spec.scope: Unsupported value: "x": supported values: "Cluster", "Namespaced"']],
    [
      { spec: { names: { shortNames: ["A"], listKind: "Tab" } } },
      [
        `spec.names.shortNames[0]: Invalid value: "A": ${label}`,
        'spec.names.listKind: Invalid value: "Tab": kind and listKind may not be the same',
      ],
    ],
    [version({ schema: null }), [`${root}: Required value: schemas are required`]],
    [
      version({ deprecationWarning: "x" }),
      ['spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'],
    ],
    [
      { spec: { preserveUnknownFields: true } },
      [
        "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      ],
    ],
    [
      { spec: { conversion: { strategy: "Webhook" } } },
      [
        "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        "spec.conversion.conversionReviewVersions: Required value",
      ],
    ],
    [
      { metadata: { name: "tabs.x.k8s.io" }, spec: { group: "x.k8s.io" } },
      [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
    [
      version({ additionalPrinterColumns: [{ name: "a", type: "x", jsonPath: "spec" }] }),
      [
        'spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string',
        'spec.versions[0].additionalPrinterColumns[0].JSONPath: Invalid value: "spec": must be a simple json path starting with .',
      ],
    ],
    [
      version({ subresources: { scale: { specReplicasPath: ".x.y", statusReplicasPath: ".status.a" } } }),
      [
        'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".x.y": should be a json path under .spec',
      ],
    ],
    [
      schema(
        {
          type: "object",
          properties: { spec: { type: "object", properties: { a: { type: "array", items: { type: "string" } } } } },
        },
        { selectableFields: [{ jsonPath: ".spec.a" }, { jsonPath: ".spec.b" }] },
      ),
      [
        'spec.versions[0].selectableFields[0]: Invalid value: ".spec.a": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        'spec.versions[0].selectableFields[1].jsonPath: Invalid value: ".spec.b": is an invalid path: does not refer to a valid field',
      ],
    ],
  ];
  for (const [patch, expected] of cases) assert.deepEqual(findings(patch), expected, JSON.stringify(patch));
  const two = findings({
    spec: {
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
      ],
    },
  }).map((text) => text.replace(/Invalid value: \[.*\]: /, ""));
  assert.deepEqual(two, [
    "spec.versions: must contain unique version names",
    "spec.versions: must have exactly one version marked as storage version",
  ]);
});

test("findings in schemas", () => {
  const a = `${root}.properties[a]`;
  const cases: readonly (readonly [JsonObject, readonly string[]])[] = [
    [schema({}), [`${root}.type: Required value: must not be empty at the root`]],
    [schema({ type: "string" }), [`${root}.type: Invalid value: "string": must be object at the root`]],
    [property({}), [`${a}.type: Required value: must not be empty for specified object fields`]],
    [property({ type: "array" }), [`${a}.items: Required value: must be specified`]],
    [property({ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] }), []],
    [
      property({ type: "string", anyOf: [{ type: "string", minLength: 1 }] }),
      [`${a}.anyOf[0].type: Forbidden: must be empty to be structural`],
    ],
    [
      property({ type: "object", anyOf: [{ properties: { b: { minLength: 1 } } }] }),
      [`${a}.properties[b]: Required value: because it is defined in ${a}.anyOf[0].properties[b]`],
    ],
    [
      property({ type: "string", pattern: "a(" }),
      [
        `${a}.pattern: Invalid value: "a(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`a(\``,
      ],
    ],
    [property({ $ref: "#/x", type: "string" }), [`${a}.$ref: Forbidden: $ref is not supported`]],
    [
      property({ type: "array", uniqueItems: true, items: { type: "string" } }),
      [`${a}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`],
    ],
    [
      property({ type: "object", properties: { b: { type: "string" } }, additionalProperties: { type: "string" } }),
      [`${a}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
    ],
    [
      property({ type: "array", "x-kubernetes-list-type": "map", items: { type: "object" } }),
      [`${a}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`],
    ],
    [
      property({
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", properties: { k: { type: "string" } } },
      }),
      [
        `${a}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      ],
    ],
    [
      property({ type: "integer", default: "x" }),
      [`${a}.default: Invalid value: "string":  in body must be of type integer: "string"`],
    ],
    [
      property({ type: "object", properties: { b: { type: "string" } }, default: { c: 1 } }),
      [`${a}.default: Invalid value: {"c":1}: must not have unknown fields`],
    ],
    [
      schema({
        type: "object",
        properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } },
      }),
      [
        `${root}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      ],
    ],
    [
      property({ type: "object", "x-kubernetes-embedded-resource": true }),
      [
        `${a}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
      ],
    ],
    [schema({ type: "object", nullable: true }), [`${root}.nullable: Forbidden: nullable cannot be true at the root`]],
  ];
  for (const [patch, expected] of cases) assert.deepEqual(findings(patch), expected, JSON.stringify(patch));
});

test("what may not change, and which stored versions must stay", () => {
  const old = definition({});
  old.status.conditions = [{ type: "Established", status: "True" }];
  const next = definition({ spec: { scope: "Cluster", names: { kind: "Other" } } });
  assert.deepEqual(CustomResourceDefinitions.validateUpdate(next, old).map(fieldErrorText), [
    'spec.scope: Invalid value: "Cluster": field is immutable',
    'spec.names.kind: Invalid value: "Other": field is immutable',
  ]);
  const moved = definition(version({ name: "v2" }));
  moved.status = { storedVersions: ["v1"] };
  CustomResourceDefinitions.prepareUpdate(moved, old, { nowMs: 0 });
  assert.deepEqual(moved.status.storedVersions, ["v1", "v2"]);
  assert.match(
    CustomResourceDefinitions.validate(moved, old).map(fieldErrorText).join(),
    /^status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version/,
  );
});
