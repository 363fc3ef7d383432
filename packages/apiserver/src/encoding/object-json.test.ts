import assert from "node:assert/strict";
import { test } from "node:test";
import { deepFreeze } from "@skiff/base";
import { storedText } from "./object-json.ts";

test("objects are stored kind first and without a revision, whatever order they come in", () => {
  const stored = '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u"},"spec":{"nodeName":"n"}}';
  const metadata = { name: "a", uid: "u" };
  const spec = { nodeName: "n" };
  const [kind, apiVersion] = ["Pod", "v1"];
  const cases: readonly object[] = [
    { kind, apiVersion, metadata, spec },
    { apiVersion, kind, metadata, spec },
    { kind, apiVersion, spec, metadata },
    { metadata, spec, kind, apiVersion },
    { kind, apiVersion, metadata: { ...metadata, resourceVersion: "7" }, spec },
    { kind, apiVersion, metadata: { resourceVersion: undefined, ...metadata, selfLink: "/x" }, spec },
  ];
  for (const object of cases) {
    const before = JSON.stringify(object);
    assert.equal(storedText(object), stored);
    assert.equal(JSON.stringify(object), before);
    assert.equal(storedText(deepFreeze(object)), stored);
  }
});
