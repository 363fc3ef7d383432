import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonValue } from "@skiff/base";
import { builtInResources } from "../built-in.ts";
import { customResource } from "../custom-resources/custom-resource.ts";
import { openApiV2, openApiV3 } from "./publish.ts";

const at = (value: JsonValue | undefined, ...steps: readonly string[]): JsonValue | undefined =>
  steps.reduce<JsonValue | undefined>((inner, step) => (isJsonObject(inner) ? inner[step] : undefined), value);

/** Every `$ref` in a document. */
function references(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === "$ref" && typeof member === "string" ? [member] : references(member),
  );
}

const apps = builtInResources.filter(({ group, version }) => group === "apps" && version === "v1");
const deployment = { group: "apps", version: "v1", kind: "Deployment" };

test("version 2: paths, definitions, extensions", () => {
  const document = openApiV2(builtInResources, "v1.36.0");
  assert.equal(document.swagger, "2.0");
  const patch = at(document.paths, "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch");
  assert.deepEqual(at(patch, "x-kubernetes-group-version-kind"), deployment);
  assert.equal(at(patch, "x-kubernetes-action"), "patch");
  assert.equal(at(patch, "operationId"), "patchAppsV1NamespacedDeployment");
  const parameters = at(patch, "parameters");
  assert.ok(Array.isArray(parameters));
  assert.deepEqual(
    parameters.map((parameter) => at(parameter, "name")),
    ["dryRun", "fieldManager", "fieldValidation", "force", "body"],
  );
  const get = at(document.paths, "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "get");
  assert.ok(isJsonObject(get) && !("parameters" in get));
  const pod = at(document.definitions, "io.k8s.api.core.v1.Pod");
  assert.deepEqual(at(pod, "x-kubernetes-group-version-kind"), [{ group: "", version: "v1", kind: "Pod" }]);
  assert.deepEqual(at(document.definitions, "io.k8s.api.core.v1.PodSpec", "properties", "containers"), {
    type: "array",
    items: { $ref: "#/definitions/io.k8s.api.core.v1.Container" },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": "name",
  });
});

test("every reference leads somewhere", () => {
  const two = openApiV2(builtInResources, "v1.36.0");
  for (const reference of new Set(references(two))) {
    assert.ok(at(two, "definitions", reference.replace("#/definitions/", "")) !== undefined, reference);
  }
  const three = openApiV3(apps, "v1.36.0");
  for (const reference of new Set(references(three))) {
    assert.ok(
      at(three, "components", "schemas", reference.replace("#/components/schemas/", "")) !== undefined,
      reference,
    );
  }
});

test("version 3: a document for a group and version", () => {
  const document = openApiV3(apps, "v1.36.0");
  assert.equal(openApiV3(apps, "v1.36.0"), document);
  const path = at(document.paths, "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale", "get");
  assert.deepEqual(at(path, "x-kubernetes-group-version-kind"), { group: "autoscaling", version: "v1", kind: "Scale" });
  const body = at(
    document.paths,
    "/apis/apps/v1/namespaces/{namespace}/deployments",
    "post",
    "requestBody",
    "content",
    "*/*",
    "schema",
  );
  assert.deepEqual(body, { $ref: "#/components/schemas/io.k8s.api.apps.v1.Deployment" });
  assert.ok(at(document, "components", "schemas", "io.k8s.api.apps.v1.DeploymentList") !== undefined);
  assert.equal(at(document, "components", "schemas", "io.k8s.api.rbac.v1.Role"), undefined);
});

test("custom resources bring their own schema", () => {
  const [resource] = customResource({
    metadata: { name: "widgets.stable.example.com", uid: "", resourceVersion: "", creationTimestamp: "" },
    spec: {
      group: "stable.example.com",
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
                  properties: { size: { anyOf: [{}], type: "integer" }, maybe: { type: "object", nullable: true } },
                },
              },
            },
          },
        },
      ],
    },
    status: {},
  }).served;
  assert.ok(resource !== undefined);
  const two = openApiV2([resource], "v1.36.0");
  const definition = at(two.definitions, "com.example.stable.v1.Widget");
  assert.deepEqual(at(definition, "properties", "spec"), {
    type: "object",
    properties: { size: { type: "integer" }, maybe: {} },
  });
  assert.deepEqual(at(definition, "x-kubernetes-group-version-kind"), [
    { group: "stable.example.com", version: "v1", kind: "Widget" },
  ]);
  assert.ok(at(two.definitions, "com.example.stable.v1.WidgetList") !== undefined);
  const three = openApiV3([resource], "v1.36.0");
  const spec = at(three, "components", "schemas", "com.example.stable.v1.Widget", "properties", "spec");
  assert.deepEqual(at(spec, "properties", "maybe"), { type: "object", nullable: true });
  const path = at(three.paths, "/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}", "patch");
  assert.deepEqual(Object.keys(at(path, "requestBody", "content") ?? {}), [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
  ]);
});
