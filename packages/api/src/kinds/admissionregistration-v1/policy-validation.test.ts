import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "../../field-error.ts";
import type { KubeObject } from "../../object.ts";
import type { ResourceDefinition } from "../../resource-definition.ts";
import { MutatingAdmissionPolicies } from "./mutating-admission-policy.ts";
import { MutatingAdmissionPolicyBindings } from "./mutating-admission-policy-binding.ts";
import { ValidatingAdmissionPolicies } from "./validating-admission-policy.ts";
import { ValidatingAdmissionPolicyBindings } from "./validating-admission-policy-binding.ts";

const meta = { name: "p", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };

/** What validation finds after defaulting, as texts. */
function findings<T extends KubeObject>(resource: ResourceDefinition<T>, spec: object): string[] {
  const object = { metadata: { ...meta }, spec: structuredClone(spec), status: {} };
  const isOf = (_value: unknown): _value is T => true;
  assert(isOf(object));
  resource.defaults(object);
  return resource.validate(object).map(fieldErrorText);
}

const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] };
const matchConstraints = { resourceRules: [rule] };
const validations = [{ expression: "true" }];

const validating: readonly [string, object, string[]][] = [
  ["sound", { matchConstraints, validations }, []],
  [
    "empty",
    {},
    [
      "spec.matchConstraints: Required value",
      "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
      "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
    ],
  ],
  [
    "failure policy",
    { matchConstraints, validations, failurePolicy: "Maybe" },
    ['spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"'],
  ],
  ["no rules", { matchConstraints: {}, validations }, ["spec.matchConstraints.resourceRules: Required value"]],
  [
    "names twice",
    { matchConstraints: { resourceRules: [{ ...rule, resourceNames: ["a", "a"] }] }, validations },
    ['spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"'],
  ],
  [
    "param kind",
    { matchConstraints, validations, paramKind: { apiVersion: "a/b/c", kind: "" } },
    [
      'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      "spec.paramKind.kind: Required value",
    ],
  ],
  [
    "conditions",
    {
      matchConstraints,
      validations,
      matchConditions: [{ name: "a", expression: "" }, { name: "a", expression: "true" }, { expression: "true" }],
    },
    [
      "spec.matchConditions[0].expression: Required value",
      'spec.matchConditions[1].name: Duplicate value: "a"',
      "spec.matchConditions[2].name: Required value",
    ],
  ],
  [
    "variables",
    {
      matchConstraints,
      validations,
      variables: [
        { name: "for", expression: "1" },
        { name: "", expression: " " },
      ],
    },
    [
      'spec.variables[0].name: Invalid value: "for": name is not a valid CEL identifier',
      "spec.variables[1].name: Required value: name is not specified",
      "spec.variables[1].expression: Required value: expression is not specified",
    ],
  ],
  [
    "validations",
    {
      matchConstraints,
      validations: [{ expression: " ", message: "a\nb", messageExpression: " ", reason: "Because" }],
    },
    [
      "spec.validations[0].expression: Required value: expression is not specified",
      'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
      'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
      'spec.validations[0].reason: Unsupported value: "Because": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"',
    ],
  ],
  [
    "annotations",
    {
      matchConstraints,
      auditAnnotations: [
        { key: "a", valueExpression: "'x'" },
        { key: "a", valueExpression: "" },
      ],
    },
    [
      "spec.auditAnnotations[1].valueExpression: Required value: valueExpression is not specified",
      'spec.auditAnnotations[1].key: Duplicate value: "a"',
    ],
  ],
];

test("ValidatingAdmissionPolicies", () => {
  for (const [name, spec, wanted] of validating)
    assert.deepEqual(findings(ValidatingAdmissionPolicies, spec), wanted, name);
});

const mutations = [{ patchType: "JSONPatch", jsonPatch: { expression: "[]" } }];

test("MutatingAdmissionPolicies", () => {
  assert.deepEqual(findings(MutatingAdmissionPolicies, { matchConstraints, mutations }), []);
  assert.deepEqual(findings(MutatingAdmissionPolicies, { matchConstraints, reinvocationPolicy: "Often" }), [
    "spec.mutations: Required value: mutations must contain at least one item",
    'spec.reinvocationPolicy: Unsupported value: "Often": supported values: "IfNeeded", "Never"',
  ]);
  assert.deepEqual(
    findings(MutatingAdmissionPolicies, {
      matchConstraints,
      mutations: [{ patchType: "Merge" }, { patchType: "ApplyConfiguration", jsonPatch: { expression: "[]" } }],
    }),
    [
      'spec.mutations[0].patchType: Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch"',
      "spec.mutations[1].applyConfiguration: Required value: must be specified when patchType is ApplyConfiguration",
      "spec.mutations[1].jsonPatch: Forbidden: must not be specified unless patchType is JSONPatch",
    ],
  );
});

test("bindings", () => {
  const actions = { validationActions: ["Deny"] };
  assert.deepEqual(findings(ValidatingAdmissionPolicyBindings, { policyName: "p", ...actions }), []);
  assert.deepEqual(findings(MutatingAdmissionPolicyBindings, { policyName: "p" }), []);
  assert.deepEqual(findings(ValidatingAdmissionPolicyBindings, { validationActions: [] }), [
    "spec.policyName: Required value",
    "spec.validationActions: Required value: at least one validation action is required",
  ]);
  assert.deepEqual(
    findings(ValidatingAdmissionPolicyBindings, {
      policyName: "p",
      validationActions: ["Deny", "Warn", "Warn", "Beep"],
    }),
    [
      'spec.validationActions[2]: Duplicate value: "Warn"',
      'spec.validationActions[3]: Unsupported value: "Beep": supported values: "Audit", "Deny", "Warn"',
      'spec.validationActions: Invalid value: ["Deny","Warn","Warn","Beep"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ],
  );
  assert.deepEqual(
    findings(MutatingAdmissionPolicyBindings, {
      policyName: "p",
      paramRef: { name: "a", selector: { matchLabels: { a: "b" } }, parameterNotFoundAction: "Shrug" },
    }),
    [
      "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
      "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
      'spec.paramRef.parameterNotFoundAction: Unsupported value: "Shrug": supported values: "Deny", "Allow"',
    ],
  );
  assert.deepEqual(findings(MutatingAdmissionPolicyBindings, { policyName: "p", paramRef: {} }), [
    "spec.paramRef: Required value: one of name or selector must be specified",
    "spec.paramRef.parameterNotFoundAction: Required value",
  ]);
});
