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
    ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "json metadataList"],
    ["*/*;as=Table;g=meta.k8s.io;v=v1", "json table"],
    ["application/yaml;as=Table;g=meta.k8s.io;v=v1beta1", "yaml table"],
    ["application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/*;q=0.1", "json object"],
    ["*/*,application/yaml", "yaml object"],
    ["application/*,text/plain", "json object"],
    ["application/json;stream=watch", "json object"],
    ["application/yaml;stream=watch,application/json;q=0.1", "json object"],
    ["application/json;v=v1,application/yaml;q=0.5", "yaml object"],
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

test("a stream is not to be had in YAML, a refusal only whole", () => {
  const stream = { protobuf: true, stream: true };
  assert.equal(negotiate("application/yaml,application/json;q=0.1", stream).format, "json");
  assert.throws(() => negotiate("application/yaml", stream), {
    message:
      "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
  });
  const refusal = { protobuf: true, onlyWhole: true };
  const metadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
  assert.equal(negotiate(`${metadata},application/json`, refusal).format, "json");
});
