import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type TestAnswer, type TestSetup, testSetup } from "../../fixtures/test-client.ts";

const group = "/apis/admissionregistration.k8s.io/v1";
const configMaps = "/api/v1/namespaces/default/configmaps";
const deployments = "/apis/apps/v1/namespaces/default/deployments";

interface Scene extends AsyncDisposable {
  readonly api: TestSetup;
  post(path: string, body: JsonObject): Promise<TestAnswer>;
  /** Makes a policy and a binding of the same name. */
  policy(sort: "validating" | "mutating", name: string, spec: JsonObject, binding?: JsonObject): Promise<void>;
}

const onMaps = (operations: string[] = ["*"]): JsonObject => ({
  resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations, resources: ["configmaps"] }],
});

async function scene(): Promise<Scene> {
  const api = await testSetup();
  const post = (path: string, body: JsonObject) => api.call(path, { method: "POST", body });
  return {
    api,
    post,
    async policy(sort, name, spec, binding = {}) {
      const actions = sort === "validating" ? { validationActions: ["Deny"] } : {};
      const made = await post(`${group}/${sort}admissionpolicies`, {
        metadata: { name },
        spec: { matchConstraints: onMaps(), ...(sort === "mutating" ? { reinvocationPolicy: "Never" } : {}), ...spec },
      });
      assert.equal(made.status, 201, made.text);
      const bound = await post(`${group}/${sort}admissionpolicybindings`, {
        metadata: { name },
        spec: { policyName: name, ...actions, ...binding },
      });
      assert.equal(bound.status, 201, bound.text);
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

const map = (name: string, data: JsonObject = {}, labels: JsonObject = {}): JsonObject => ({
  metadata: { name, labels },
  data,
});

const messageOf = ({ json }: TestAnswer): string => String(json.message);

test("a policy that is bound refuses at once, in Kubernetes' words", async () => {
  await using the = await scene();
  const spec = { validations: [{ expression: "object.data.size() <= 1" }] };
  await the.policy("validating", "small", spec);
  assert.equal((await the.post(configMaps, map("fits", { a: "1" }))).status, 201);
  const refused = await the.post(configMaps, map("large", { a: "1", b: "2" }));
  assert.equal(refused.status, 422);
  const message =
    "ValidatingAdmissionPolicy 'small' with binding 'small' denied request: failed expression: object.data.size() <= 1";
  assert.deepEqual(refused.json, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `configmaps "large" is forbidden: ${message}`,
    reason: "Invalid",
    details: { name: "large", kind: "configmaps", causes: [{ message }] },
    code: 422,
  });
  const gone = await the.api.call(`${group}/validatingadmissionpolicybindings/small`, { method: "DELETE" });
  assert.equal(gone.status, 200);
  assert.equal((await the.post(configMaps, map("large", { a: "1", b: "2" }))).status, 201);
});

test("variables, message expressions, reasons, request and namespace", async () => {
  await using the = await scene();
  await the.policy("validating", "rich", {
    variables: [
      { name: "keys", expression: "object.data.map(k, k)" },
      { name: "count", expression: "size(variables.keys)" },
      { name: "broken", expression: "object.nothing.here" },
    ],
    validations: [
      {
        expression: "variables.count < 2",
        message: "too many",
        messageExpression: "'has ' + string(variables.count) + ' keys in ' + namespaceObject.metadata.name",
        reason: "Forbidden",
      },
      { expression: "!object.metadata.name.startsWith('plain-')", message: " a plain message " },
      { expression: "request.operation == 'CREATE' && request.userInfo.username == 'admin'" },
      { expression: "object.metadata.name != 'broken' || variables.broken == 1" },
    ],
  });
  const rich = await the.post(configMaps, map("rich", { a: "1", b: "2" }));
  assert.equal(rich.status, 403);
  assert.equal(rich.json.reason, "Forbidden");
  assert.match(messageOf(rich), /denied request: has 2 keys in default$/);
  assert.match(messageOf(await the.post(configMaps, map("plain-1", { a: "1" }))), /denied request: a plain message$/);
  assert.match(
    messageOf(await the.post(configMaps, map("broken", { a: "1" }))),
    /expression 'object.metadata.name != 'broken' \|\| variables.broken == 1' resulted in error: composited variable "broken" fails to evaluate: no such key: nothing$/,
  );
  assert.equal((await the.post(configMaps, map("good", { a: "1" }))).status, 201);
  const updated = await the.api.call(`${configMaps}/good`, { method: "PUT", body: map("good", { a: "2" }) });
  assert.equal(updated.status, 422);
});

test("conditions and the failure policy decide what a failing expression means", async () => {
  await using the = await scene();
  const failing = [{ expression: "object.data.missing == 'x'" }];
  await the.policy("validating", "ignored", { failurePolicy: "Ignore", validations: failing });
  assert.equal((await the.post(configMaps, map("one", { a: "1" }))).status, 201);
  await the.policy("validating", "limited", {
    validations: failing,
    matchConditions: [
      { name: "named", expression: "object.metadata.name == 'two'" },
      { name: "failing", expression: "object.data.other == 'x'" },
    ],
  });
  // One condition says no: what the other one fails with does not matter.
  assert.equal((await the.post(configMaps, map("three", { a: "1" }))).status, 201);
  assert.match(
    messageOf(await the.post(configMaps, map("two", { a: "1" }))),
    /expression 'object.data.other == 'x'' resulted in error: no such key: other$/,
  );
});

test("parameters come from objects of any kind", async () => {
  await using the = await scene();
  const spec = {
    paramKind: { apiVersion: "v1", kind: "ConfigMap" },
    matchConstraints: {
      resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["secrets"] }],
    },
    validations: [{ expression: "params == null || object.stringData.size() <= int(params.data.most)" }],
  };
  await the.policy("validating", "params", spec, {
    paramRef: { name: "limits", parameterNotFoundAction: "Deny" },
  });
  const secrets = "/api/v1/namespaces/default/secrets";
  const secret = (name: string) => ({ metadata: { name }, stringData: { a: "1", b: "2" } });
  assert.match(
    messageOf(await the.post(secrets, secret("s"))),
    /denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
  );
  assert.equal((await the.post(configMaps, map("limits", { most: "1" }))).status, 201);
  const few = await the.post(secrets, secret("s"));
  assert.equal(few.status, 422, few.text);
});

test("warnings instead of refusals", async () => {
  await using the = await scene();
  const spec = { validations: [{ expression: "false", message: "not so" }] };
  await the.policy("validating", "warns", spec, { validationActions: ["Warn", "Audit"] });
  const made = await the.post(configMaps, map("m"));
  assert.equal(made.status, 201);
  assert.equal(
    made.headers.warning,
    `299 - "Validation failed for ValidatingAdmissionPolicy 'warns' with binding 'warns': not so"`,
  );
});

test("the authorizer hears of selectors", async () => {
  await using the = await scene();
  const { api, post } = the;
  assert.equal((await post("/api/v1/namespaces", { metadata: { name: "kube-node-lease" } })).status, 201);
  const pods = "authorizer.group('').resource('pods')";
  await the.policy("validating", "node", {
    matchConstraints: {
      resourceRules: [
        { apiGroups: ["coordination.k8s.io"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["leases"] },
      ],
    },
    validations: [
      { expression: `${pods}.fieldSelector('spec.nodeName=one').check('list').allowed()`, message: "its own pods" },
      { expression: `!${pods}.fieldSelector('spec.nodeName=two').check('list').allowed()`, message: "others' pods" },
      { expression: `!${pods}.labelSelector('spec.nodeName=one').check('list').allowed()`, message: "labels" },
    ],
  });
  const headers = { "impersonate-user": "system:node:one", "impersonate-group": "system:nodes" };
  const path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  const made = await api.call(path, { method: "POST", headers, body: { metadata: { name: "one" } } });
  assert.equal(made.status, 201, made.text);
});

test("the authorizer answers for the user and for service accounts", async () => {
  await using the = await scene();
  await the.policy("validating", "authorized", {
    validations: [
      { expression: "authorizer.group('').resource('configmaps').namespace('default').check('delete').allowed()" },
      { expression: "authorizer.requestResource.check('create').allowed()" },
      { expression: "!authorizer.serviceAccount('default', 'default').path('/metrics').check('get').allowed()" },
    ],
  });
  const made = await the.post(configMaps, map("m"));
  assert.equal(made.status, 201, made.text);
});

test("expressions that do not compile are refused with the compiler's text", async () => {
  await using the = await scene();
  const refused = await the.post(`${group}/validatingadmissionpolicies`, {
    metadata: { name: "bad" },
    spec: {
      matchConstraints: onMaps(),
      variables: [{ name: "x", expression: "1 +" }],
      validations: [{ expression: "object.data" }, { expression: "missing == 1" }, { expression: "true" }],
    },
  });
  assert.equal(refused.status, 422);
  const details = isJsonObject(refused.json.details) ? refused.json.details : {};
  const causes = Array.isArray(details.causes) ? details.causes : [];
  assert.deepEqual(
    causes.map((cause) => (isJsonObject(cause) ? `${String(cause.field)}: ${String(cause.message)}` : "")),
    [
      `spec.variables[0].expression: Invalid value: "1 +": compilation failed: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | 1 +\n | ...^`,
      `spec.validations[0].expression: Invalid value: "object.data": must evaluate to bool`,
      `spec.validations[1].expression: Invalid value: "missing == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'missing' (in container '')\n | missing == 1\n | ^`,
    ],
  );
});

test("each expression knows the words that are for it", async () => {
  await using the = await scene();
  const causesOf = async (spec: JsonObject): Promise<string[]> => {
    const refused = await the.post(`${group}/validatingadmissionpolicies`, {
      metadata: { name: "words" },
      spec: { matchConstraints: onMaps(), ...spec },
    });
    assert.equal(refused.status, 422, refused.text);
    return [...messageOf(refused).matchAll(/(spec\.\S+): Invalid.*undeclared reference to '(\w+)'/g)].map(
      ([, field, word]) => `${field} ${word}`,
    );
  };
  const expression = "variables.a == params.b";
  assert.deepEqual(await causesOf({ validations: [{ expression }], matchConditions: [{ name: "m", expression }] }), [
    "spec.matchConditions[0].expression variables",
    "spec.validations[0].expression variables",
  ]);
  assert.deepEqual(
    await causesOf({
      variables: [
        { name: "a", expression: "variables.b" },
        { name: "b", expression: "authorizer == authorizer" },
      ],
      validations: [{ expression: "variables.b", messageExpression: "authorizer.nothing()" }],
    }),
    ["spec.validations[0].messageExpression authorizer"],
  );
});

test("whatever is missing from a policy is told, not stumbled over", async () => {
  await using the = await scene();
  const specs: JsonObject[] = [
    {},
    { validations: [{}] },
    { validations: [null], matchConditions: [null], variables: [null] },
    { validations: [{ expression: "true" }], variables: [{ name: "a" }], matchConditions: [{ name: "a" }] },
    { auditAnnotations: [{ key: "a" }, null] },
    { mutations: [{}, null, { patchType: "JSONPatch", jsonPatch: {} }, { patchType: "ApplyConfiguration" }] },
    { matchConstraints: { resourceRules: [null], objectSelector: { matchExpressions: [{}] } } },
    { paramKind: {}, paramRef: {}, matchResources: { resourceRules: [{}] } },
  ];
  const kinds = ["validatingadmissionpolicies", "mutatingadmissionpolicies", "validatingadmissionpolicybindings"];
  for (const kind of [...kinds, "mutatingadmissionpolicybindings"]) {
    for (const spec of specs) {
      const refused = await the.post(`${group}/${kind}`, { metadata: { name: "holes" }, spec });
      assert.equal(refused.status, 422, `${kind} ${JSON.stringify(spec)}: ${refused.text}`);
    }
    assert.equal((await the.post(`${group}/${kind}`, { metadata: { name: "holes" } })).status, 422, kind);
  }
});

const at = (value: JsonValue | undefined, ...path: (string | number)[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>(
    (here, step) =>
      typeof step === "number"
        ? Array.isArray(here)
          ? here[step]
          : undefined
        : isJsonObject(here)
          ? here[step]
          : undefined,
    value,
  );

const onDeployments = {
  resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }],
};

const deployment = (name: string): JsonObject => ({
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "web", image: "nginx" }] } },
  },
});

test("a mutation lays a configuration over the object, and defaults follow", async () => {
  await using the = await scene();
  await the.policy("mutating", "sidecar", {
    matchConstraints: onDeployments,
    mutations: [
      {
        patchType: "ApplyConfiguration",
        applyConfiguration: {
          expression: `Object{
            metadata: Object.metadata{labels: {"by": request.userInfo.username}},
            spec: Object.spec{
              replicas: 3,
              template: Object.spec.template{spec: Object.spec.template.spec{
                containers: [Object.spec.template.spec.containers{name: "proxy", image: "proxy:1"}]
              }}
            }
          }`,
        },
      },
    ],
  });
  const made = await the.post(deployments, deployment("web"));
  assert.equal(made.status, 201, made.text);
  assert.equal(at(made.json, "spec", "replicas"), 3);
  assert.deepEqual(at(made.json, "metadata", "labels"), { by: "admin" });
  const containers = at(made.json, "spec", "template", "spec", "containers");
  assert(Array.isArray(containers));
  assert.deepEqual(
    containers.map((one) => [at(one, "name"), at(one, "imagePullPolicy")]),
    [
      ["web", "Always"],
      ["proxy", "IfNotPresent"],
    ],
  );
});

test("a mutation patches, and sees what earlier ones did", async () => {
  await using the = await scene();
  await the.policy("mutating", "a-first", {
    mutations: [
      {
        patchType: "JSONPatch",
        jsonPatch: {
          expression: `[JSONPatch{op: "add", path: "/metadata/labels", value: {"one": "1"}}]`,
        },
      },
      {
        patchType: "JSONPatch",
        jsonPatch: {
          expression: `has(object.metadata.labels.one) ? [
            JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/two"), value: object.metadata.labels.one + "-2"}
          ] : []`,
        },
      },
    ],
  });
  const made = await the.post(configMaps, { metadata: { name: "m" } });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(at(made.json, "metadata", "labels"), { one: "1", "example.com/two": "1-2" });
});

test("parts of objects are validated and mutated as what they are", async () => {
  await using the = await scene();
  const onScale = {
    resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["*"], resources: ["deployments/scale"] }],
  };
  await the.policy("validating", "scale", {
    matchConstraints: onScale,
    validations: [{ expression: "object.kind == 'Scale' && object.spec.replicas <= 5" }],
  });
  await the.policy("mutating", "scale", {
    matchConstraints: onScale,
    matchConditions: [{ name: "large", expression: "object.spec.replicas == 9" }],
    mutations: [
      { patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{spec: Object.spec{replicas: 4}}" } },
    ],
  });
  await the.policy("mutating", "strange", {
    matchConstraints: onScale,
    matchConditions: [{ name: "seven", expression: "object.spec.replicas == 7" }],
    mutations: [
      {
        patchType: "ApplyConfiguration",
        applyConfiguration: { expression: "Object{spec: Object.spec{paused: true}}" },
      },
    ],
  });
  assert.equal((await the.post(deployments, deployment("web"))).status, 201);
  const scaled = (replicas: number) =>
    the.api.call(`${deployments}/web/scale`, {
      method: "PATCH",
      headers: { "content-type": "application/merge-patch+json" },
      body: { spec: { replicas } },
    });
  assert.match(messageOf(await scaled(8)), /^deployments\.apps "web" is forbidden: ValidatingAdmissionPolicy 'scale'/);
  assert.match(messageOf(await scaled(7)), /\.spec\.paused: field not declared in schema$/);
  const mended = await scaled(9);
  assert.equal(mended.status, 200, mended.text);
  assert.equal(at(mended.json, "spec", "replicas"), 4);
});

test("a patch whose own test does not hold changes nothing, and one that cannot be applied refuses", async () => {
  await using the = await scene();
  const patch = (expression: string) => ({ mutations: [{ patchType: "JSONPatch", jsonPatch: { expression } }] });
  await the.policy(
    "mutating",
    "tested",
    patch(`[JSONPatch{op: "test", path: "/data/a", value: "x"}, JSONPatch{op: "add", path: "/data/b", value: "y"}]`),
  );
  assert.deepEqual(at((await the.post(configMaps, map("one", { a: "x" }))).json, "data"), { a: "x", b: "y" });
  assert.deepEqual(at((await the.post(configMaps, map("two", { a: "z" }))).json, "data"), { a: "z" });
  await the.policy("mutating", "other", {
    ...patch(`[JSONPatch{op: "replace", path: "/kind", value: "Secret"}, JSONPatch{op: "remove", path: "/metadata"}]`),
    matchConditions: [{ name: "named", expression: "object.metadata.?name.orValue('') == 'nameless'" }],
  });
  const nameless = await the.post(configMaps, map("nameless", { a: "z" }));
  assert.equal(nameless.status, 422, nameless.text);
  assert.match(
    messageOf(nameless),
    /^ConfigMap "" is invalid: .*metadata\.name: Required value: name or generateName is required/,
  );
  await the.policy("mutating", "wrong", patch(`[JSONPatch{op: "remove", path: "/data/missing"}]`));
  assert.match(
    messageOf(await the.post(configMaps, map("three", { a: "z" }))),
    /^policy 'wrong' with binding 'wrong' denied request: JSONPath: /,
  );
});

test("policies that ask for it are evaluated again when a later one changes the object", async () => {
  await using the = await scene();
  const label = (name: string, value: string) => ({
    mutations: [
      {
        patchType: "ApplyConfiguration",
        applyConfiguration: {
          expression: `Object{metadata: Object.metadata{labels: {"${name}": ${value}}}}`,
        },
      },
    ],
  });
  await the.policy("mutating", "a-count", {
    ...label("count", "string(size(object.?metadata.labels.orValue({})))"),
    reinvocationPolicy: "IfNeeded",
  });
  await the.policy("mutating", "b-mark", label("mark", "'x'"));
  const made = await the.post(configMaps, { metadata: { name: "m" } });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(at(made.json, "metadata", "labels"), { count: "2", mark: "x" });
});

test("mutations that cannot be carried out are refused, or ignored", async () => {
  await using the = await scene();
  const apply = (expression: string) => ({
    matchConstraints: onDeployments,
    mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
  });
  const cases: [string, string][] = [
    [
      "Object{spec: Object.spec{nonsense: 1}}",
      "error applying patch: failed to convert patch object to typed object: .spec.nonsense: field not declared in schema",
    ],
    [
      "Object{spec: Object.wrong{replicas: 1}}",
      `type mismatch: unexpected type name "Object.wrong", expected "Object.spec", which matches field name path from root Object type`,
    ],
    [
      "Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'a': 'b'}}}}",
      "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector",
    ],
    [
      "Object{spec: Object.spec{replicas: object.spec.missing}}",
      "expression 'Object{spec: Object.spec{replicas: object.spec.missing}}' resulted in error: no such key: missing",
    ],
  ];
  for (const [index, [expression, why]] of cases.entries()) {
    const name = `bad-${index}`;
    await the.policy("mutating", name, apply(expression));
    const refused = await the.post(deployments, deployment("web"));
    assert.equal(messageOf(refused), `policy '${name}' with binding '${name}' denied request: ${why}`);
    assert.equal(refused.json.reason, "Invalid");
    await the.api.call(`${group}/mutatingadmissionpolicybindings/${name}`, { method: "DELETE" });
  }
  await the.policy("mutating", "ignored", {
    ...apply("Object{spec: Object.spec{nonsense: 1}}"),
    failurePolicy: "Ignore",
  });
  assert.equal((await the.post(deployments, deployment("web"))).status, 201);
});

test("custom resources are validated, mutated, and parameters", async () => {
  await using the = await scene();
  const definition = await the.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: {
                  type: "object",
                  properties: {
                    size: { type: "integer" },
                    color: { type: "string", default: "red" },
                    parts: {
                      type: "array",
                      "x-kubernetes-list-type": "map",
                      "x-kubernetes-list-map-keys": ["name"],
                      items: {
                        type: "object",
                        required: ["name"],
                        properties: { name: { type: "string" }, n: { type: "integer" } },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      ],
    },
  });
  assert.equal(definition.status, 201, definition.text);
  const widgets = "/apis/example.com/v1/namespaces/default/widgets";
  const widget = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name },
    spec,
  });
  const onWidgets = {
    resourceRules: [{ apiGroups: ["example.com"], apiVersions: ["*"], operations: ["*"], resources: ["widgets"] }],
  };
  await the.policy(
    "validating",
    "sizes",
    {
      matchConstraints: onWidgets,
      paramKind: { apiVersion: "example.com/v1", kind: "Widget" },
      validations: [{ expression: "object.metadata.name == 'limit' || object.spec.size <= params.spec.size" }],
    },
    { paramRef: { name: "limit", namespace: "default", parameterNotFoundAction: "Allow" } },
  );
  await the.policy("mutating", "parts", {
    matchConstraints: onWidgets,
    matchConditions: [{ name: "new", expression: "oldObject == null" }],
    mutations: [
      {
        patchType: "ApplyConfiguration",
        applyConfiguration: {
          expression:
            "Object{spec: Object.spec{parts: [Object.spec.parts{name: 'added', n: size(object.spec.?parts.orValue([]))}]}}",
        },
      },
    ],
  });
  assert.equal((await the.post(widgets, widget("limit", { size: 3 }))).status, 201);
  assert.equal((await the.post(widgets, widget("large", { size: 4 }))).status, 422);
  const made = await the.post(widgets, widget("fits", { size: 2, parts: [{ name: "own", n: 7 }] }));
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(at(made.json, "spec"), {
    size: 2,
    color: "red",
    parts: [
      { name: "own", n: 7 },
      { name: "added", n: 1 },
    ],
  });
});

test("deletions, bindings' own selectors, excluded rules, dry runs", async () => {
  await using the = await scene();
  await the.policy(
    "validating",
    "keep",
    {
      matchConstraints: onMaps(["DELETE"]),
      validations: [{ expression: "object == null && oldObject.data.keep != 'yes'" }],
    },
    { matchResources: { objectSelector: { matchLabels: { guarded: "true" } } } },
  );
  await the.policy("validating", "frozen", {
    matchConstraints: {
      ...onMaps(["UPDATE"]),
      excludeResourceRules: [
        {
          apiGroups: [""],
          apiVersions: ["v1"],
          operations: ["UPDATE"],
          resources: ["configmaps"],
          resourceNames: ["free"],
        },
      ],
    },
    validations: [{ expression: "object.data == oldObject.data", message: "frozen" }],
  });
  for (const name of ["guarded", "free"]) {
    assert.equal(
      (await the.post(configMaps, map(name, { keep: "yes" }, { guarded: String(name === "guarded") }))).status,
      201,
    );
  }
  const remove = (name: string) => the.api.call(`${configMaps}/${name}`, { method: "DELETE" });
  const change = (name: string, query = "") =>
    the.api.call(`${configMaps}/${name}${query}`, {
      method: "PUT",
      body: map(name, { keep: "no" }, { guarded: "true" }),
    });
  assert.equal((await remove("guarded")).status, 422);
  assert.match(messageOf(await change("guarded", "?dryRun=All")), /denied request: frozen$/);
  assert.equal((await change("free")).status, 200);
  assert.equal((await remove("free")).status, 200);
});
