import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonValue, randomInt, seededRandom } from "@skiff/base";
import { StatusError } from "../status-error.ts";
import { type DecodeRequest, decodeObject } from "./decode.ts";
import { definitionSchema } from "./definition-schema.ts";
import { schemaOfCustomResource } from "./json-schema.ts";

const requestFor = (definition: string, text: string, more: Partial<DecodeRequest> = {}): DecodeRequest => {
  const [, version = "", kind = ""] = definition.split(".");
  return {
    text,
    format: "json",
    schema: definitionSchema(definition),
    version,
    kind,
    fieldValidation: "Strict",
    ...more,
  };
};

const deployment = (spec: unknown): string => JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", spec });
const pod = (spec: unknown): string => JSON.stringify({ apiVersion: "v1", kind: "Pod", spec });

test("bodies that do not fit are refused in the decoder's words", () => {
  const inDeployment = 'Deployment in version "v1" cannot be handled as a Deployment: ';
  const inPod = 'Pod in version "v1" cannot be handled as a Pod: ';
  const cases: readonly (readonly [definition: string, body: string, message: string])[] = [
    [
      "apps.v1.Deployment",
      deployment({ replicas: "3" }),
      `${inDeployment}json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      "apps.v1.Deployment",
      deployment({ replicas: 1.5 }),
      `${inDeployment}json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      "apps.v1.Deployment",
      deployment({ template: { spec: { containers: [{ name: "a", env: [{ name: "x", value: 1 }] }] } } }),
      `${inDeployment}json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string`,
    ],
    [
      "apps.v1.Deployment",
      JSON.stringify({ metadata: { labels: { a: 1 } } }),
      `${inDeployment}json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string`,
    ],
    [
      "core.v1.Pod",
      pod({ containers: "x" }),
      `${inPod}json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container`,
    ],
    [
      "core.v1.Pod",
      pod({ hostNetwork: "yes" }),
      `${inPod}json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool`,
    ],
    [
      "core.v1.Pod",
      JSON.stringify({ spec: [] }),
      `${inPod}json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec`,
    ],
    [
      "core.v1.Pod",
      pod({ containers: [{ resources: { limits: { cpu: "x" } } }] }),
      `${inPod}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ],
    [
      "core.v1.Secret",
      JSON.stringify({ data: { a: "eHg*" } }),
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3',
    ],
    [
      "core.v1.Pod",
      JSON.stringify({ metadata: { creationTimestamp: "yesterday" } }),
      `${inPod}parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`,
    ],
    [
      "core.v1.Service",
      JSON.stringify({ spec: { ports: [{ targetPort: true }] } }),
      'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal bool into Go value of type int32',
    ],
    [
      "core.v1.Pod",
      pod({ nope: 1, containers: [{ name: "a", what: {} }] }),
      `${inPod}strict decoding error: unknown field "spec.nope", unknown field "spec.containers[0].what"`,
    ],
    [
      "core.v1.Pod",
      "{",
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input ({)",
    ],
  ];
  for (const [definition, text, message] of cases) {
    assert.throws(
      () => decodeObject(requestFor(definition, text)),
      (error) => {
        assert.ok(error instanceof StatusError);
        assert.equal(error.status.message, message);
        assert.equal(error.code, 400);
        assert.equal(error.reason, "BadRequest");
        return true;
      },
    );
  }
});

test("what fits is brought into canonical form", () => {
  const { value, strictErrors } = decodeObject(
    requestFor(
      "core.v1.Pod",
      JSON.stringify({
        metadata: { name: "a", creationTimestamp: null, labels: {}, annotations: { a: null } },
        spec: {
          containers: [
            {
              name: "a",
              args: [],
              command: ["x", null],
              resources: { limits: { cpu: "1000m", memory: 1024 } },
              readinessProbe: { httpGet: { port: "web" } },
            },
          ],
          volumes: [{ name: "v", emptyDir: {} }],
        },
        status: { startTime: "2026-01-02T03:04:05.678+01:00" },
      }),
    ),
  );
  assert.deepEqual(strictErrors, []);
  assert.deepEqual(value, {
    kind: "Pod",
    metadata: { name: "a", annotations: { a: "" } },
    spec: {
      containers: [
        {
          name: "a",
          command: ["x", ""],
          resources: { limits: { cpu: "1", memory: "1024" } },
          readinessProbe: { httpGet: { port: "web" } },
        },
      ],
      volumes: [{ name: "v", emptyDir: {} }],
    },
    status: { startTime: "2026-01-02T02:04:05Z" },
  });
});

test("micro times have six digits, whatever was sent", () => {
  for (const [sent, kept] of [
    ["2026-01-02T03:04:05Z", "000000"],
    ["2026-01-02T03:04:05.1234567Z", "123456"],
  ]) {
    const { value } = decodeObject(requestFor("coordination.v1.Lease", JSON.stringify({ spec: { renewTime: sent } })));
    assert.deepEqual(value.spec, { renewTime: `2026-01-02T03:04:05.${kept}Z` });
  }
});

test("strict errors, in the order of writing", () => {
  const text = `{"spec":{"unknown1":1,"unknownDupe":1,"unknownDupe":2,"paused":true,"paused":false,
    "template":{"spec":{"containers":[{"name":"a","nested":{"x":1,"x":2},"imagePullPolicy":"Always","imagePullPolicy":"Never"}]}}}}`;
  const { strictErrors, value } = decodeObject(requestFor("apps.v1.Deployment", text, { fieldValidation: "Warn" }));
  assert.deepEqual(strictErrors, [
    'unknown field "spec.unknown1"',
    'unknown field "spec.unknownDupe"',
    'duplicate field "spec.paused"',
    'unknown field "spec.template.spec.containers[0].nested"',
    'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
  ]);
  assert.deepEqual(value.spec, {
    template: { spec: { containers: [{ name: "a", imagePullPolicy: "Never" }] } },
  });
  assert.deepEqual(
    decodeObject(requestFor("apps.v1.Deployment", text, { fieldValidation: "Ignore" })).strictErrors,
    [],
  );
});

test("names are told apart by case", () => {
  const { strictErrors } = decodeObject(
    requestFor("core.v1.Pod", '{"Metadata":{},"metadata":{"Name":"x"}}', { fieldValidation: "Warn" }),
  );
  assert.deepEqual(strictErrors, ['unknown field "Metadata"', 'unknown field "metadata.Name"']);
});

test("bodies for another place", () => {
  const request = requestFor("apps.v1.Deployment", '{"apiVersion":"v1","kind":"Deployment"}', { group: "apps" });
  assert.throws(() => decodeObject(request), {
    message: "the API version in the data (v1) does not match the expected API version (apps/v1)",
  });
  assert.deepEqual(decodeObject(requestFor("apps.v1.Deployment", "{}", { group: "apps" })).value, {
    kind: "Deployment",
    apiVersion: "apps/v1",
  });
});

test("YAML as Kubernetes reads it", () => {
  const text =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\nimmutable: yes\ndata:\n  time: 2026-01-02\n  sixty: '12:30'\n";
  const { value } = decodeObject(requestFor("core.v1.ConfigMap", text, { format: "yaml" }));
  assert.deepEqual(value, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a" },
    immutable: true,
    data: { time: "2026-01-02", sixty: "12:30" },
  });
  const mode = decodeObject(
    requestFor("core.v1.Pod", "spec: {volumes: [{name: a, secret: {defaultMode: 0644}}]}", { format: "yaml" }),
  );
  assert.deepEqual(mode.value.spec, { volumes: [{ name: "a", secret: { defaultMode: 420 } }] });
  const twice = requestFor("core.v1.ConfigMap", "data:\n  a: p\n  b: q\n  a: r\n", { format: "yaml" });
  assert.throws(() => decodeObject(twice), {
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 4: key "a" already set in map',
  });
  for (const broken of ["a: [", "a: b: c", "&a [*a]", "%", `${"- ".repeat(3000)}a`]) {
    assert.throws(
      () => decodeObject(requestFor("core.v1.ConfigMap", broken, { format: "yaml" })),
      StatusError,
      broken.slice(0, 20),
    );
  }
});

test("custom resources are pruned, not checked", () => {
  const schema = schemaOfCustomResource({
    kind: "Widget",
    schema: {
      type: "object",
      properties: {
        spec: {
          type: "object",
          properties: {
            size: { type: "integer" },
            free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
          },
        },
      },
    },
  });
  const text =
    '{"apiVersion":"x/v1","kind":"Widget","metadata":{"name":"a","foo":1},"spec":{"size":"big","free":{"a":{"b":null}},"foo":1,"foo":2}}';
  const { value, strictErrors } = decodeObject({
    text,
    format: "json",
    schema,
    version: "v1",
    kind: "Widget",
    fieldValidation: "Warn",
  });
  assert.deepEqual(value, {
    apiVersion: "x/v1",
    kind: "Widget",
    metadata: { name: "a" },
    spec: { size: "big", free: { a: { b: null } } },
  });
  assert.deepEqual(strictErrors, [
    'duplicate field "spec.foo"',
    'unknown field "metadata.foo"',
    'unknown field "spec.foo"',
  ]);
});

test("whatever the body, the answer is an object or a status", () => {
  const random = seededRandom(3);
  const names = [
    "metadata",
    "spec",
    "containers",
    "name",
    "labels",
    "ports",
    "template",
    "resources",
    "limits",
    "volumes",
    "__proto__",
    "x",
  ];
  const make = (depth: number): JsonValue => {
    switch (randomInt(random, depth > 5 ? 6 : 9)) {
      case 0:
        return null;
      case 1:
        return randomInt(random, 10) - 5;
      case 2:
        return "text";
      case 3:
        return true;
      case 4:
        return 1.5;
      case 5:
        return "";
      case 6:
        return Array.from({ length: randomInt(random, 4) }, () => make(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: randomInt(random, 5) }, () => [
            names[randomInt(random, names.length)] ?? "",
            make(depth + 1),
          ]),
        );
    }
  };
  let decoded = 0;
  for (let round = 0; round < 3000; round++) {
    const text = JSON.stringify(make(0));
    try {
      const request = requestFor(round % 2 === 0 ? "core.v1.Pod" : "apps.v1.Deployment", text, {
        fieldValidation: "Warn",
      });
      const { value } = decodeObject(request);
      const again = decodeObject({ ...request, text: JSON.stringify(value), fieldValidation: "Strict" });
      assert.deepEqual(again.value, value);
      decoded++;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }
  assert.ok(decoded > 100);
  const deep = `{"spec":${'{"containers":['.repeat(20_000)}${"]}".repeat(20_000)}}`;
  assert.throws(() => decodeObject(requestFor("core.v1.Pod", deep)), StatusError);
  const wide = `{"metadata":{"managedFields":[{"fieldsV1":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}]}}`;
  assert.throws(() => decodeObject(requestFor("core.v1.Pod", wide)), StatusError);
});

test("texts that the original cannot leave out are there", () => {
  const { value } = decodeObject({
    text: '{"metadata":{"name":"a"},"spec":{"containers":[{"image":"i"}],"volumes":[{"emptyDir":{}}]}}',
    format: "json",
    schema: definitionSchema("core.v1.Pod"),
    group: "",
    version: "v1",
    kind: "Pod",
    fieldValidation: "Strict",
  });
  assert.deepEqual(value.spec, { containers: [{ image: "i", name: "" }], volumes: [{ emptyDir: {}, name: "" }] });
});

test("YAML that looks like JSON and is none is read as YAML, to its end", () => {
  const decode = (text: string) =>
    decodeObject({
      text,
      format: "yaml",
      schema: definitionSchema("core.v1.ConfigMap"),
      group: "",
      version: "v1",
      kind: "ConfigMap",
      fieldValidation: "Warn",
    });
  const { value, strictErrors } = decode(String.raw`{"metadata":{"name":"a"},\*b":"c"}`);
  assert.deepEqual(value.metadata, { name: "a" });
  assert.equal(strictErrors.length, 1);
  assert.deepEqual(decode('{metadata: {name: "a", name: "b"}}').strictErrors.length, 1);
});

test("half characters are replaced", () => {
  const cases = [
    ["json", String.raw`{"data":{"\ud800":"a\udc00b","ok":"\ud83d\ude00"}}`],
    ["yaml", String.raw`data: {"x": "a\ud800"}`],
  ] as const;
  const values = cases.map(([format, text]) => {
    const place = { schema: definitionSchema("core.v1.ConfigMap"), group: "", version: "v1", kind: "ConfigMap" };
    return decodeObject({ text, format, fieldValidation: "Warn", ...place }).value.data;
  });
  assert.deepEqual(values, [{ "\ufffd": "a\ufffdb", ok: "\u{1f600}" }, { x: "a\ufffd" }]);
});
