import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonValue } from "@skiff/base";
import { Deployments } from "../kinds/definitions.ts";
import { openApiV2, openApiV3 } from "./publish.ts";

const descriptions = {
  "apps.v1.DeploymentSpec": { "": "What is wanted.", replicas: "How many.", template: "What of." },
  "apps.v1.DeploymentStrategy": { "": "How it is changed." },
};

const at = (value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined =>
  path.reduce<JsonValue | undefined>((inner, name) => (isJsonObject(inner) ? inner[name] : undefined), value);

test("version 3 tells what definitions and fields are for, beside references, too", () => {
  const document = openApiV3([Deployments], "v1.36.0", descriptions);
  const spec = at(document, "components", "schemas", "io.k8s.api.apps.v1.DeploymentSpec");
  assert.equal(at(spec, "description"), "What is wanted.");
  assert.deepEqual(at(spec, "properties", "replicas"), { description: "How many.", type: "integer", format: "int32" });
  assert.deepEqual(at(spec, "properties", "template"), {
    description: "What of.",
    allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec" }],
  });
  assert.equal(at(spec, "properties", "strategy", "description"), "How it is changed.");
  assert.deepEqual(at(spec, "properties", "selector"), {
    $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
  });
});

test("without prose there is none", () => {
  const texts = (document: object) => JSON.stringify(document).match(/"description":"What[^"]*"/g);
  assert.equal(texts(openApiV3([Deployments], "v1.36.0")), null);
  assert.equal(texts(openApiV2([Deployments], "v1.36.0")), null);
});
