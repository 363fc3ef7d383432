import assert from "node:assert/strict";
import { test } from "node:test";
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
  for (const object of cases) assert.equal(storedText(object), stored);
});
