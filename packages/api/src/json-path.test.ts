import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJsonPath } from "./json-path.ts";

const object = {
  metadata: { name: "a", labels: { "app.kubernetes.io/name": "web" }, annotations: { plain: "x" } },
  spec: { containers: [{ image: "one", ports: [80, 443] }, { image: "two" }], replicas: 3 },
  status: {
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Other", status: "False" },
    ],
  },
};

test("paths", () => {
  const cases: readonly (readonly [string, unknown[]])[] = [
    [".metadata.name", ["a"]],
    ["metadata.name", ["a"]],
    ["{.metadata.name}", ["a"]],
    ["$.spec.replicas", [3]],
    [".spec.containers[*].image", ["one", "two"]],
    [".spec.containers[1].image", ["two"]],
    [".spec.containers[-1].image", ["two"]],
    [".spec.containers[0:1].image", ["one"]],
    [".spec.containers[:].image", ["one", "two"]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type != 'Ready')].status", ["False"]],
    [".spec.containers[?(@.ports)].image", ["one"]],
    [".metadata.labels.app\\.kubernetes\\.io/name", ["web"]],
    [".metadata.labels['app.kubernetes.io/name']", ["web"]],
    ["..image", ["one", "two"]],
    [".metadata.annotations.*", ["x"]],
    [".spec.missing[*].x", []],
    [".metadata.constructor", []],
    [".spec.containers[?(@.ports[0]>79)].image", ["one"]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parseJsonPath(text).find(object), expected, text);
});

test("texts that are not paths", () => {
  for (const text of [".a[", ".a b", ".a[?(@.b==c)]", "[?()]", "]"])
    assert.throws(() => parseJsonPath(text), Error, text);
});
