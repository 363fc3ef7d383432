import assert from "node:assert/strict";
import { test } from "node:test";
import { readDescriptions } from "./descriptions.ts";

test("the build leaves texts for what people ask about", async (context) => {
  const descriptions = await readDescriptions();
  if (descriptions === undefined) return context.skip("nothing is built");
  for (const [definition, field] of [
    ["core.v1.Pod", ""],
    ["core.v1.Container", "image"],
    ["core.v1.EventSource", "host"],
    ["meta.v1.ObjectMeta", "labels"],
    ["apps.v1.DeploymentSpec", "replicas"],
    ["rbac.v1.Subject", "kind"],
    ["apiextensions.v1.JSONSchemaProps", "x-kubernetes-list-type"],
  ] as const) {
    assert.match(descriptions[definition]?.[field] ?? "", /^[A-Z].{10}/i, `${definition} ${field}`);
  }
});
