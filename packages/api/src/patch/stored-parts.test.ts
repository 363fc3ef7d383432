import assert from "node:assert/strict";
import { test } from "node:test";
import { deepFreeze } from "@skiff/base";
import { definitionSchema } from "../schema/definition-schema.ts";
import { patchedObject } from "./patch-object.ts";

test("a patch brings what it says into its form, and takes the rest as it is stored", () => {
  const schema = definitionSchema("core.v1.Pod");
  const limits = { cpu: "1000m" };
  const current = deepFreeze({
    metadata: { name: "p", labels: { a: "b" } },
    spec: { containers: [{ name: "c", image: "x", resources: { limits } }], nosuch: 1 },
  });
  const value = {
    metadata: { labels: { c: null } },
    spec: { containers: [{ name: "d", resources: { limits } }], bad: 1 },
  };
  const patch = { type: "strategic", value, strictErrors: [] } as const;
  const patched = patchedObject({ current, patch, schema, fieldValidation: "Warn" });
  assert.deepEqual(patched.strictErrors, ['unknown field "spec.nosuch"', 'unknown field "spec.bad"']);
  assert.deepEqual(patched.value, {
    metadata: { name: "p", labels: { a: "b" } },
    spec: {
      containers: [
        { name: "d", resources: { limits: { cpu: "1" } } },
        { name: "c", image: "x", resources: { limits: { cpu: "1000m" } } },
      ],
    },
  });
  assert.ok(!Object.isFrozen(patched.value.spec) && !Object.isFrozen(patched.value.metadata));
});
