import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, deepFreeze, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { definitionSchema } from "../schema/definition-schema.ts";
import { StatusError } from "../status-error.ts";
import { applyConfiguration } from "./apply.ts";
import { updateManagedFields } from "./update.ts";

const schema = definitionSchema("apps.v1.Deployment");
const apiVersion = "apps/v1";
const name = { name: "web", namespace: "default" };
const empty: JsonObject = { apiVersion, kind: "Deployment", metadata: name };

const deployment = (spec: JsonValue, metadata: JsonObject = {}): JsonObject => ({
  apiVersion,
  kind: "Deployment",
  metadata: { ...name, ...metadata },
  spec,
});

const ownersOf = (object: JsonObject): Record<string, JsonValue | undefined> => {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  const entries = Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
  return Object.fromEntries(
    entries
      .filter(isJsonObject)
      .map((entry) => [
        `${entry.manager}/${entry.operation}${entry.subresource ? `/${entry.subresource}` : ""}`,
        entry.fieldsV1,
      ]),
  );
};

interface Options {
  readonly manager?: string;
  readonly nowMs?: number;
  readonly force?: boolean;
  readonly subresource?: string;
}

const apply = (
  live: JsonObject,
  config: JsonObject,
  { manager = "a", nowMs = 0, force = false, subresource }: Options = {},
) =>
  applyConfiguration({
    live: deepFreeze(live),
    config: deepFreeze(config),
    schema,
    manager,
    nowMs,
    force,
    apiVersion,
    subresource,
  });

const update = (
  live: JsonObject | undefined,
  next: JsonObject,
  { manager = "u", nowMs = 0, subresource }: Options = {},
) => {
  const object = deepCopy(next);
  updateManagedFields({
    live: live && deepFreeze(live),
    next: object,
    schema,
    manager,
    nowMs,
    apiVersion,
    subresource,
  });
  return object;
};

const web = (image: string): JsonObject => ({ containers: [{ name: "web", image }] });

test("creation gives the writer all fields, in the stored form", () => {
  const created = update(undefined, {
    ...deployment(
      {
        replicas: 1,
        selector: { matchLabels: { app: "x" } },
        template: {
          metadata: { labels: { app: "x" } },
          spec: { containers: [{ name: "web", image: "1", ports: [{ containerPort: 80, protocol: "TCP" }] }] },
        },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } },
      },
      { labels: { app: "x" }, uid: "u", resourceVersion: "1" },
    ),
  });
  assert.deepEqual(ownersOf(created)["u/Update"], {
    "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
    "f:spec": {
      "f:replicas": {},
      "f:selector": {},
      "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {} }, "f:type": {} },
      "f:template": {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": {
          "f:containers": {
            'k:{"name":"web"}': {
              ".": {},
              "f:image": {},
              "f:name": {},
              "f:ports": {
                ".": {},
                'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
              },
            },
          },
        },
      },
    },
  });
});

test("an update takes what it changes from others, and only that", () => {
  const first = update(undefined, deployment({ replicas: 1, paused: true }), { manager: "one" });
  const second = update(first, { ...first, spec: { replicas: 2 } }, { manager: "two", nowMs: 5000 });
  assert.deepEqual(ownersOf(second), { "two/Update": { "f:spec": { "f:replicas": {} } } });
  const third = update(second, { ...second, status: { replicas: 1 } }, { manager: "two", subresource: "status" });
  assert.deepEqual(ownersOf(third)["two/Update/status"], { "f:status": { "f:replicas": {} } });
  assert.deepEqual(ownersOf(third)["two/Update"], { "f:spec": { "f:replicas": {} } });
});

test("nothing changed, nothing recorded", () => {
  const first = update(undefined, deployment({ replicas: 1 }), { manager: "one" });
  const again = update(first, deepCopy(first), { manager: "two", nowMs: 5000 });
  assert.deepEqual(again, first);
});

test("objects that nobody tracked stay so under updates", () => {
  const next = update(deployment({ replicas: 1 }), deployment({ replicas: 2 }));
  assert.deepEqual(ownersOf(next), {});
});

test("entries that the request gives replace the stored ones, one empty entry resets", () => {
  const first = update(undefined, deployment({ replicas: 1 }), { manager: "one" });
  const reset = update(first, deployment({ replicas: 1 }, { managedFields: [{}] }), { manager: "two" });
  assert.deepEqual(ownersOf(reset), {});
  const left = update(first, deployment({ replicas: 2 }), { manager: "two" });
  assert.deepEqual(ownersOf(left), { "two/Update": { "f:spec": { "f:replicas": {} } } });
});

test("at most ten entries of updates", () => {
  let object = update(undefined, deployment({}, { labels: { l0: "x" } }), { manager: "m0" });
  for (let round = 1; round < 14; round++) {
    const metadata = isJsonObject(object.metadata) ? object.metadata : {};
    const labels = isJsonObject(metadata.labels) ? metadata.labels : {};
    const next = { ...object, metadata: { ...metadata, labels: { ...labels, [`l${round}`]: "x" } } };
    object = update(object, next, { manager: `m${round}`, nowMs: round * 1000 });
  }
  const owners = ownersOf(object);
  assert.equal(Object.keys(owners).length, 10);
  assert.deepEqual(Object.keys(owners)[0], "ancient-changes/Update");
  assert.deepEqual(owners["ancient-changes/Update"], {
    "f:metadata": { "f:labels": { ".": {}, "f:l0": {}, "f:l1": {}, "f:l2": {}, "f:l3": {}, "f:l4": {} } },
  });
});

test("apply creates, changes, and removes what it no longer says", () => {
  const one = apply(
    empty,
    deployment({
      replicas: 1,
      paused: true,
      template: {
        spec: {
          containers: [
            { name: "web", image: "1" },
            { name: "side", image: "2" },
          ],
        },
      },
    }),
  );
  assert.ok(one.changed);
  assert.deepEqual(ownersOf(one.object), {
    "a/Apply": {
      "f:spec": {
        "f:paused": {},
        "f:replicas": {},
        "f:template": {
          "f:spec": {
            "f:containers": {
              'k:{"name":"side"}': { ".": {}, "f:image": {}, "f:name": {} },
              'k:{"name":"web"}': { ".": {}, "f:image": {}, "f:name": {} },
            },
          },
        },
      },
    },
  });
  const two = apply(one.object, deployment({ replicas: 2, template: { spec: web("1") } }), { nowMs: 1000 });
  assert.deepEqual(two.object.spec, { replicas: 2, template: { spec: web("1") } });
  const again = apply(two.object, deployment({ replicas: 2, template: { spec: web("1") } }), { nowMs: 2000 });
  assert.equal(again.changed, false);
  assert.deepEqual(again.object, two.object);
});

test("what another owner has stays when the applier lets go of it", () => {
  const one = apply(empty, deployment({ replicas: 1, template: { spec: web("1") } }));
  const two = apply(one.object, deployment({ replicas: 1 }), { manager: "b" });
  const three = apply(two.object, deployment({ template: { spec: web("1") } }));
  assert.deepEqual(three.object.spec, { replicas: 1, template: { spec: web("1") } });
  assert.deepEqual(ownersOf(three.object)["b/Apply"], { "f:spec": { "f:replicas": {} } });
  const four = apply(three.object, deployment({}), { manager: "b" });
  assert.deepEqual(four.object.spec, { template: { spec: web("1") } });
});

test("fields that defaulting added to an item go with it", () => {
  const one = apply(empty, deployment({ template: { spec: web("1") } })).object;
  const defaulted = {
    ...one,
    spec: {
      template: { spec: { containers: [{ name: "web", image: "1", imagePullPolicy: "Always" }], dnsPolicy: "x" } },
    },
  };
  const two = apply(defaulted, deployment({ template: { spec: { containers: [{ name: "new", image: "1" }] } } }));
  assert.deepEqual(two.object.spec, {
    template: { spec: { containers: [{ name: "new", image: "1" }], dnsPolicy: "x" } },
  });
});

test("conflicts are refused with a cause a field, unless forced", () => {
  const one = update(undefined, deployment({ replicas: 1, template: { spec: web("1") } }), {
    manager: "kubectl-client-side-apply",
  });
  assert.throws(
    () => apply(one, deployment({ replicas: 2 })),
    (error) => {
      assert.ok(error instanceof StatusError);
      assert.deepEqual(error.status, {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message:
          'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
        reason: "Conflict",
        details: {
          causes: [
            {
              reason: "FieldManagerConflict",
              message: 'conflict with "kubectl-client-side-apply" using apps/v1',
              field: ".spec.replicas",
            },
          ],
        },
        code: 409,
      });
      return true;
    },
  );
  assert.throws(() => apply(one, deployment({ replicas: 2, template: { spec: web("2") } })), {
    message:
      'Apply failed with 2 conflicts: conflicts with "kubectl-client-side-apply" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="web"].image',
  });
  const forced = apply(one, deployment({ replicas: 2 }), { force: true });
  assert.deepEqual(ownersOf(forced.object)["a/Apply"], { "f:spec": { "f:replicas": {} } });
  assert.ok(!JSON.stringify(ownersOf(forced.object)["kubectl-client-side-apply/Update"]).includes("f:replicas"));
  // The same value is no conflict: both own it.
  assert.ok(apply(one, deployment({ replicas: 1 })).changed);
});

test("kubectl may take over what its client-side apply set", () => {
  const last = JSON.stringify(deployment({ replicas: 1 }));
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": last };
  const one = update(undefined, deployment({ replicas: 1 }, { annotations }), { manager: "kubectl-client-side-apply" });
  const { object } = apply(one, deployment({ replicas: 3 }), { manager: "kubectl" });
  assert.deepEqual(object.spec, { replicas: 3 });
  assert.match(JSON.stringify(object.metadata), /last-applied-configuration":"{[^}]*.*replicas\\+":3/);
  const edited = update(one, { ...one, spec: { replicas: 2 } }, { manager: "edit" });
  assert.throws(() => apply(edited, deployment({ replicas: 3 }), { manager: "kubectl" }), /conflict with "edit"/);
});

test("what the client-side apply left is kept as the client writes it", () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const text = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{},"labels":{"a":"\\u003cb\\u003e"},"name":"web","namespace":"default"},"spec":{"paused":true,"replicas":1}}\n`;
  const live = update(
    undefined,
    deployment({ replicas: 1, paused: true }, { labels: { a: "<b>" }, annotations: { [annotation]: text } }),
    { manager: "kubectl-client-side-apply" },
  );
  const config = deployment({ replicas: 1, paused: true }, { labels: { a: "<b>" } });
  const { object } = apply(live, config, { manager: "kubectl" });
  assert.deepEqual(isJsonObject(object.metadata) && object.metadata.annotations, { [annotation]: text });
});

test("configurations that do not fit", () => {
  const cases: readonly (readonly [JsonObject, number, string])[] = [
    [
      deployment({ foo: 1 }),
      500,
      "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema",
    ],
    [
      deployment({ replicas: "1" }),
      500,
      "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string",
    ],
    [
      deployment({ foo: 1, template: { spec: { containers: [{ name: "a", bar: 1 }] } } }),
      500,
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): errors:\n  .spec.foo: field not declared in schema\n  .spec.template.spec.containers[name="a"].bar: field not declared in schema',
    ],
    [
      deployment({ template: { spec: { containers: [{ image: "a" }] } } }),
      500,
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
    ],
    [deployment({}, { managedFields: [{}] }), 400, "metadata.managedFields must be nil"],
  ];
  for (const [config, code, message] of cases) {
    assert.throws(
      () => apply(empty, config),
      (error) => {
        assert.ok(error instanceof StatusError);
        assert.equal(error.message, message);
        assert.equal(error.code, code);
        return true;
      },
    );
  }
});

test("the order of keyed lists", () => {
  const list = (...names: string[]): JsonObject => ({
    template: { spec: { containers: names.map((one) => ({ name: one })) } },
  });
  const live = update(undefined, deployment(list("a", "b", "c")), { manager: "one" });
  const { object } = apply(live, deployment(list("c", "a", "x")));
  assert.deepEqual(object.spec, list("b", "c", "a", "x"));
  const front = apply(live, deployment(list("x", "a")));
  assert.deepEqual(front.object.spec, list("x", "a", "b", "c"));
});

test("the object belongs to an entry of its own before the first apply", () => {
  const { object } = apply(deployment({ replicas: 1, paused: true }), deployment({ replicas: 1 }));
  assert.deepEqual(Object.keys(ownersOf(object)), ["a/Apply", "before-first-apply/Update"]);
});
