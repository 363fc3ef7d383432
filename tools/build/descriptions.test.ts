import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { compressedDescriptions } from "./descriptions.ts";

test("there are texts for what people ask about", () => {
  const bytes = compressedDescriptions();
  assert.ok(bytes !== undefined, "the client is among the development dependencies");
  const descriptions: Record<string, Record<string, string>> = JSON.parse(gunzipSync(bytes).toString("utf8"));
  assert.ok(Object.keys(descriptions).length > 700);
  for (const [definition, field] of [
    ["core.v1.Pod", ""],
    ["core.v1.Container", "image"],
    ["core.v1.EventSource", "host"],
    ["meta.v1.ObjectMeta", "labels"],
    ["apps.v1.DeploymentSpec", "replicas"],
    ["rbac.v1.Subject", "kind"],
    ["apiextensions.v1.JSONSchemaProps", "x-kubernetes-list-type"],
  ] as const) {
    assert.match(descriptions[definition]?.[field] ?? "", /^[A-Za-z].{10}/, `${definition} ${field}`);
  }
});
