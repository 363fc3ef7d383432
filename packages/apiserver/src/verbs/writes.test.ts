import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { type TestCall, type TestSetup, testSetup } from "../fixtures/test-client.ts";

let setup: TestSetup;
const maps = "/api/v1/namespaces/default/configmaps";
const deployments = "/apis/apps/v1/namespaces/default/deployments";
const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
const spec = { selector: { matchLabels: { a: "b" } }, template };

before(async () => {
  setup = await testSetup();
  await setup.call(maps, { method: "POST", body: { metadata: { name: "base" }, data: { a: "1" } } });
  await setup.call(deployments, { method: "POST", body: { metadata: { name: "web" }, spec } });
});
after(() => setup[Symbol.asyncDispose]());

const types = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

const patch = (path: string, type: keyof typeof types, body: string | object) =>
  setup.call(path, { method: "PATCH", headers: { "content-type": types[type], "user-agent": "tester" }, body });

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => (isJsonObject(inner) ? inner[name] : undefined), value);

describe("PUT", () => {
  test("makes what may be made so, and asks for the version where that must be said", async () => {
    const body = { metadata: { name: "new" }, spec: { holderIdentity: "me" } };
    const put = (more: object = {}) => setup.call(`${leases}/new`, { method: "PUT", body: { ...body, ...more } });
    const made = await put();
    assert.deepEqual([made.status, at(made.json, "spec", "holderIdentity")], [201, "me"]);
    const blind = await put();
    assert.deepEqual(
      [blind.status, blind.json.message],
      [
        422,
        'leases.coordination.k8s.io "new" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      ],
    );
    assert.equal((await put({ metadata: made.json.metadata })).status, 200);
    const missing = await setup.call(`${maps}/new`, { method: "PUT", body: { metadata: { name: "new" } } });
    assert.equal(missing.status, 404);
  });

  test("of something with an identity makes nothing", async () => {
    const body = { metadata: { name: "other", uid: "abc" } };
    const { status, json } = await setup.call(`${leases}/other`, { method: "PUT", body });
    assert.deepEqual(
      [status, json.message],
      [
        409,
        'Operation cannot be fulfilled on leases.coordination.k8s.io "other": Precondition failed: UID in precondition: abc, UID in object meta: ',
      ],
    );
  });
});

describe("DELETE", () => {
  const remove = (query: string, body?: object) =>
    setup.call(`${maps}/base${query}`, { method: "DELETE", ...(body === undefined ? {} : { body }) });

  test("takes its options from the body where there is one", async () => {
    assert.equal((await remove("?dryRun=All")).status, 200);
    assert.equal(
      (await remove("?dryRun=None", { kind: "DeleteOptions", apiVersion: "v1", dryRun: ["All"] })).status,
      200,
    );
    assert.equal((await remove("?gracePeriodSeconds=soon", { dryRun: ["All"] })).status, 200);
    assert.equal((await setup.call(`${maps}/base`)).status, 200);
  });

  test("of an object sent along deletes nothing", async () => {
    const { status, json } = await remove("", { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "base" } });
    assert.deepEqual([status, json.message], [400, 'no kind "ConfigMap" is registered for version "v1"']);
    assert.equal((await setup.call(`${maps}/base`)).status, 200);
  });

  test("says both errors of two contradicting options", async () => {
    const { json } = await remove("?propagationPolicy=Foo&orphanDependents=true");
    const causes = at(json, "details", "causes");
    assert.deepEqual(Array.isArray(causes) ? causes.map((cause) => at(cause, "reason")) : causes, [
      "FieldValueInvalid",
      "FieldValueNotSupported",
    ]);
  });

  test("goes on in the background of the answer: 202 only in the old way of asking", async () => {
    const made = (name: string) =>
      setup.call(maps, { method: "POST", body: { metadata: { name, finalizers: ["example.com/wait"] } } });
    for (const [name, query, status] of [
      ["one", "?orphanDependents=false", 202],
      ["two", "?propagationPolicy=Foreground", 200],
    ] as const) {
      await made(name);
      assert.equal((await setup.call(`${maps}/${name}${query}`, { method: "DELETE" })).status, status);
    }
  });
});

const strict: readonly (readonly [string, keyof typeof types, string, number, string])[] = [
  [
    "a merge patch",
    "merge",
    '{"spec":{"foo":1,"replicas":1,"replicas":2}}',
    422,
    'strict decoding error: duplicate field "spec.replicas", unknown field "spec.foo"',
  ],
  [
    "a JSON patch",
    "json",
    '[{"op":"add","path":"/spec/foo","value":1,"foo":2},{"op":"replace","path":"/spec/replicas","path":"/spec/replicas","value":3}]',
    422,
    'strict decoding error: json patch unknown field "[0].foo", json patch duplicate field "[1].path", unknown field "spec.foo"',
  ],
  [
    "a strategic merge patch",
    "strategic",
    '{"spec":{"foo":1,"template":{"spec":{"containers":[{"name":"c","bar":1}]}}}}',
    422,
    ' "" is invalid: patch: Invalid value: "map[spec:map[foo:1 template:map[spec:map[containers:[map[bar:1 name:c]]]]]]": strict decoding error: unknown field "spec.template.spec.containers[0].bar", unknown field "spec.foo"',
  ],
  [
    "a configuration with a key said twice",
    "apply",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  paused: true\n  paused: false\n",
    400,
    'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 6: key "paused" already set in map',
  ],
  [
    "a configuration with an unknown field",
    "apply",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default}\nspec: {foo: 1}\n",
    500,
    "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema",
  ],
];

for (const [what, type, body, code, message] of strict) {
  test(`strict validation of ${what}`, async () => {
    const query = `fieldValidation=Strict${type === "apply" ? "&fieldManager=strict" : ""}`;
    const { status, json } = await patch(`${deployments}/web?${query}`, type, body);
    assert.equal(status, code);
    assert.ok(String(json.message).endsWith(message), String(json.message));
  });
}

test("warnings come one by one, also those of YAML", async () => {
  const warned = await patch(
    `${deployments}/web?dryRun=All`,
    "merge",
    '{"spec":{"foo":1,"paused":false,"paused":true}}',
  );
  assert.equal(
    warned.headers.warning,
    '299 - "duplicate field \\"spec.paused\\"", 299 - "unknown field \\"spec.foo\\""',
  );
  const call: TestCall = {
    method: "POST",
    headers: { "content-type": "application/yaml" },
    body: "metadata:\n  name: once\n  name: twice\nfoo: 1\n",
  };
  const { status, headers } = await setup.call(`${maps}?dryRun=All`, call);
  assert.equal(status, 201);
  assert.equal(headers.warning, '299 - "line 3: key \\"name\\" already set in map", 299 - "unknown field \\"foo\\""');
});

describe("apply", () => {
  const config = (name: string, more: JsonObject = {}): JsonObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { ...spec, ...more },
  });

  test("stores the form of the schema, not that of the configuration", async () => {
    const resources = { limits: { cpu: 0.5, memory: "1024Mi" } };
    const containers = [{ name: "c", image: "i", resources, env: null }];
    const body = config("form", { template: { ...template, spec: { containers } } });
    const made = await patch(`${deployments}/form?fieldManager=m`, "apply", body);
    assert.equal(made.status, 201);
    const stored = at(made.json, "spec", "template", "spec", "containers");
    const [container] = Array.isArray(stored) ? stored : [];
    assert.deepEqual(at(container, "resources", "limits"), { cpu: "500m", memory: "1Gi" });
    assert.ok(isJsonObject(container) && !("env" in container));
  });

  test("applied again, it changes nothing", async () => {
    const apply = () => patch(`${deployments}/same?fieldManager=m`, "apply", config("same"));
    const first = await apply();
    const again = await apply();
    assert.deepEqual([first.status, again.status], [201, 200]);
    assert.equal(at(again.json, "metadata", "resourceVersion"), at(first.json, "metadata", "resourceVersion"));
  });

  test("of an identity that is not there is refused", async () => {
    const body = { ...config("gone"), metadata: { name: "gone", uid: "abc" } };
    const { status, json } = await patch(`${deployments}/gone?fieldManager=m`, "apply", body);
    assert.deepEqual(
      [status, json.message],
      [
        409,
        'Operation cannot be fulfilled on deployments.apps "gone": uid mismatch: the provided object specified uid abc, and no existing object was found',
      ],
    );
  });

  test("of another version or kind is refused", async () => {
    const apply = (more: JsonObject) =>
      patch(`${deployments}/web?fieldManager=m`, "apply", { ...config("web"), ...more });
    const cases: readonly (readonly [JsonObject, string])[] = [
      [
        { apiVersion: "apps/v1beta9" },
        "Incorrect version specified in apply patch. Specified patch version: apps/v1beta9, expected: apps/v1",
      ],
      [{ kind: "Pod" }, "invalid object type: apps/v1, Kind=Pod"],
      [{ kind: "", apiVersion: "" }, "invalid object type: /, Kind="],
    ];
    for (const [more, message] of cases) {
      const { status, json } = await apply(more);
      assert.deepEqual([status, json.message], [400, message]);
    }
  });

  test("of a Scale meets the owners of the replicas", async () => {
    await patch(`${deployments}/scaled?fieldManager=m`, "apply", config("scaled", { replicas: 1 }));
    const scale = (replicas: number, query: string) =>
      patch(`${deployments}/scaled/scale?${query}`, "apply", {
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "scaled" },
        spec: { replicas },
      });
    const refused = await scale(3, "fieldManager=s");
    assert.deepEqual(
      [refused.status, refused.json.message],
      [409, 'Apply failed with 1 conflict: conflict with "m": .spec.replicas'],
    );
    const forced = await scale(3, "fieldManager=s&force=true");
    assert.deepEqual([forced.status, forced.json.kind, at(forced.json, "spec", "replicas")], [200, "Scale", 3]);
    const entries = at((await setup.call(`${deployments}/scaled`)).json, "metadata", "managedFields");
    const own = Array.isArray(entries) ? entries.find((entry) => at(entry, "manager") === "s") : undefined;
    assert.deepEqual([at(own, "subresource"), at(own, "fieldsV1")], ["scale", { "f:spec": { "f:replicas": {} } }]);
  });
});

test("bodies of subresources are read by their schema", async () => {
  const scale = await setup.call(`${deployments}/web/scale`, {
    method: "PUT",
    body: { metadata: { name: "web" }, spec: { replicas: "x" } },
  });
  assert.deepEqual(
    [scale.status, scale.json.message],
    [
      400,
      'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32',
    ],
  );
  const type = await setup.call(`${deployments}/web/scale`, { method: "PATCH", body: "{}" });
  assert.equal(type.status, 415);
});

describe("whole numbers of 64 bits keep their digits where no field's rules say otherwise", () => {
  const revisions = "/apis/apps/v1/namespaces/default/controllerrevisions";
  const digits = "9007199254740993";

  for (const [format, body] of [
    ["json", `{"metadata":{"name":"digits-json"},"revision":1,"data":{"digits":${digits},"m":[-${digits}]}}`],
    ["yaml", `metadata: {name: digits-yaml}\nrevision: 1\ndata: {digits: ${digits}, m: [-${digits}]}\n`],
  ] as const) {
    test(format, async () => {
      const headers = { "content-type": `application/${format}` };
      const made = await setup.call(revisions, { method: "POST", headers, body });
      assert.equal(made.status, 201, made.text);
      const name = `${revisions}/digits-${format}`;
      const patched = await patch(name, "merge", '{"metadata":{"labels":{"a":"b"}},"revision":2}');
      assert.equal(patched.status, 200, patched.text);
      const wanted = `"data":{"digits":${digits},"m":[-${digits}]}`;
      for (const text of [made.text, patched.text, (await setup.call(name)).text])
        assert.ok(text.includes(wanted), text);
      const shown = await setup.call(name, { headers: { accept: "application/yaml" } });
      assert.match(shown.text, new RegExp(`digits: ${digits}\n`));
      const listed = await setup.call(revisions, { headers: { accept: "application/vnd.kubernetes.protobuf" } });
      assert.ok(listed.text.includes(`{"digits":${digits},"m":[-${digits}]}`));
    });
  }

  test("a field of 64 bits refuses more", async () => {
    const body = `{"metadata":{"name":"more"},"revision":9223372036854775808}`;
    const { status, json } = await setup.call(revisions, { method: "POST", body });
    assert.equal(status, 400);
    assert.match(
      String(json.message),
      /cannot unmarshal number 92233720368547\d+ into Go struct field .* of type int64$/,
    );
  });
});

test("owners that are named twice are named once", async () => {
  const owner = { apiVersion: "v1", kind: "Pod", name: "x", uid: "u" };
  const metadata = { name: "owned", ownerReferences: [owner, { ...owner, uid: "v" }, owner] };
  const { headers, json } = await setup.call(`${maps}?dryRun=All`, { method: "POST", body: { metadata } });
  assert.deepEqual(at(json, "metadata", "ownerReferences"), [owner, { ...owner, uid: "v" }]);
  assert.match(
    String(headers.warning),
    /^299 - "\.metadata\.ownerReferences contains duplicate entries; .* duplicate UID\(s\) observed: u"$/,
  );
});

test("what is the whole cluster's is in no namespace, whichever is sent with it", async () => {
  const path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  const role = { metadata: { name: "wide", namespace: "default" }, rules: [] };
  const made = await setup.call(path, { method: "POST", body: role });
  assert.deepEqual([made.status, at(made.json, "metadata", "namespace")], [201, undefined], made.text);
  const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }];
  const put = await setup.call(`${path}/wide`, { method: "PUT", body: { ...role, rules } });
  assert.deepEqual(
    [put.status, at(put.json, "metadata", "namespace"), put.json.rules],
    [200, undefined, rules],
    put.text,
  );
  const headers = { "content-type": "application/merge-patch+json" };
  const patched = await setup.call(`${path}/wide`, {
    method: "PATCH",
    headers,
    body: { metadata: { namespace: "x" } },
  });
  assert.deepEqual([patched.status, at(patched.json, "metadata", "namespace")], [200, undefined], patched.text);
});
