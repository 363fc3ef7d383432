import assert from "node:assert/strict";
import { test } from "node:test";
import { revisionData } from "./plan.ts";

test("a revision's data has its keys in order, whatever order the template's have", () => {
  const containers = [{ name: "b", image: "i", args: ["z", "a"] }];
  const data = revisionData({ spec: { containers }, metadata: { labels: { b: "1", a: "2" } } });
  assert.equal(
    JSON.stringify(data),
    '{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a":"2","b":"1"}},' +
      '"spec":{"containers":[{"args":["z","a"],"image":"i","name":"b"}]}}}}',
  );
});
