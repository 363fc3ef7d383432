import assert from "node:assert/strict";
import { test } from "node:test";
import { negotiate } from "./negotiate.ts";

test("the best form that can be had is chosen", () => {
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const cases: readonly (readonly [accept: string | undefined, expected: string])[] = [
    [undefined, "json object"],
    ["*/*", "json object"],
    ["application/yaml", "yaml object"],
    ["application/json;q=0.5, application/yaml", "yaml object"],
    [`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, "json table"],
    ["application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "json object"],
    [
      "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
      "protobuf metadata",
    ],
    ["application/vnd.kubernetes.protobuf,application/json", "json object"],
    ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "json metadata"],
    ["text/html, */*;q=0.1", "json object"],
  ];
  for (const [accept, expected] of cases) {
    const { format, form } = negotiate(accept);
    assert.equal(`${format} ${form}`, expected, accept);
  }
});

test("what cannot be had is refused", () => {
  for (const accept of [
    "text/html",
    "application/vnd.kubernetes.protobuf",
    `${"application/json;as=Table"};v=v9;g=x`,
  ]) {
    assert.throws(() => negotiate(accept), { code: 406, reason: "NotAcceptable" });
  }
});
