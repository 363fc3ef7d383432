import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "../../field-error.ts";
import type { FlowSchema, PriorityLevelConfiguration } from "../../generated/types/flowcontrol-v1.ts";
import { FlowSchemas, PriorityLevelConfigurations } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from "./bootstrap.ts";

const schema = (name: string, spec: Partial<FlowSchema["spec"]>): FlowSchema => ({
  metadata: sampleMeta(name),
  spec: { priorityLevelConfiguration: { name: "level" }, ...spec },
  status: {},
});
const level = (name: string, spec: PriorityLevelConfiguration["spec"]): PriorityLevelConfiguration => ({
  metadata: sampleMeta(name),
  spec,
  status: {},
});

const everyone = { kind: "Group", group: { name: "system:authenticated" } };
const pods = { verbs: ["get"], apiGroups: [""], resources: ["pods"], namespaces: ["*"] };

test("what every cluster has is valid, and stays as it is by default", () => {
  for (const { name, spec } of bootstrapFlowSchemas) {
    const made = schema(name, structuredClone(spec));
    FlowSchemas.defaults(made);
    assert.deepEqual(made.spec, spec);
    assert.deepEqual(FlowSchemas.validate(made), [], name);
  }
  for (const { name, spec } of bootstrapPriorityLevels) {
    const made = level(name, structuredClone(spec));
    PriorityLevelConfigurations.defaults(made);
    assert.deepEqual(made.spec, spec);
    assert.deepEqual(PriorityLevelConfigurations.validate(made), [], name);
  }
});

const schemas: readonly (readonly [FlowSchema, readonly string[]])[] = [
  [schema("a", { rules: [{ subjects: [everyone], resourceRules: [pods] }] }), []],
  [
    schema("a", { matchingPrecedence: 1 }),
    ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
  ],
  [
    schema("a", { matchingPrecedence: 10_001, distinguisherMethod: { type: "ByMoon" } }),
    [
      "spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000",
      'spec.distinguisherMethod.type: Unsupported value: "ByMoon": supported values: "ByNamespace", "ByUser"',
    ],
  ],
  [
    schema("a", { priorityLevelConfiguration: { name: "" }, rules: [{ subjects: [] }] }),
    [
      "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
      "spec.rules[0].subjects: Required value: subjects must contain at least one value",
      "spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty",
    ],
  ],
  [
    schema("a", {
      rules: [
        {
          subjects: [{ kind: "User", user: { name: "" }, group: { name: "g" } }, { kind: "Dog" }],
          resourceRules: [{ verbs: ["bark"], apiGroups: ["*", "apps"], resources: [] }],
          nonResourceRules: [{ verbs: ["*", "get"], nonResourceURLs: ["healthz", "/a*", "/b//c"] }],
        },
      ],
    }),
    [
      "spec.rules[0].subjects[0].user.name: Required value",
      "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
      'spec.rules[0].subjects[1].kind: Unsupported value: "Dog": supported values: "Group", "ServiceAccount", "User"',
      'spec.rules[0].resourceRules[0].verbs: Unsupported value: ["bark"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
      `spec.rules[0].resourceRules[0].apiGroups: Invalid value: ["*","apps"]: if '*' is present, must not specify other api groups`,
      "spec.rules[0].resourceRules[0].resources: Required value: resource rules must supply at least one resource",
      "spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace",
      `spec.rules[0].nonResourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "healthz": must start with slash',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a*": wildcard can only do suffix matching',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/b//c": must not contain double slash',
    ],
  ],
];

for (const [at, [given, expected]] of schemas.entries()) {
  test(`flow schema ${at}`, () => {
    FlowSchemas.defaults(given);
    assert.deepEqual(FlowSchemas.validate(given).map(fieldErrorText), expected);
  });
}

test("mandatory objects have a fixed spec", () => {
  const [error] = FlowSchemas.validate(schema("catch-all", { matchingPrecedence: 9000 }));
  assert.equal(error?.detail, "spec of 'catch-all' must equal the fixed value");
  const exempt = { type: "Exempt", exempt: { nominalConcurrencyShares: 7, lendablePercent: 10 } };
  assert.deepEqual(PriorityLevelConfigurations.validate(level("exempt", exempt)), []);
});

const levels: readonly (readonly [PriorityLevelConfiguration, readonly string[]])[] = [
  [level("a", { type: "Limited", limited: { limitResponse: { type: "Queue", queuing: {} } } }), []],
  [
    level("a", { type: "Exempt", limited: {} }),
    [
      `spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`,
      "spec.limited: Forbidden: must be nil if the type is not Limited",
    ],
  ],
  [
    level("a", {
      type: "Limited",
      limited: { nominalConcurrencyShares: -1, lendablePercent: 101, limitResponse: { type: "Reject", queuing: {} } },
    }),
    [
      "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
      "spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited",
      "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
    ],
  ],
  [
    level("a", {
      type: "Limited",
      limited: { limitResponse: { type: "Queue", queuing: { queues: 512, handSize: 8, queueLengthLimit: -1 } } },
    }),
    [
      "spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: -1: must be positive",
      "spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be greater than 60",
    ],
  ],
];

for (const [at, [given, expected]] of levels.entries()) {
  test(`priority level ${at}`, () => {
    PriorityLevelConfigurations.defaults(given);
    assert.deepEqual(PriorityLevelConfigurations.validate(given).map(fieldErrorText), expected);
  });
}
