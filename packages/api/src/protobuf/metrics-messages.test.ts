import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeProtobuf, openEnvelope } from "./envelope.ts";
import { metricsMessage } from "./metrics-messages.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("metrics are written as their messages are", () => {
  const node = {
    apiVersion: "metrics.k8s.io/v1beta1",
    kind: "NodeMetrics",
    metadata: { name: "n" },
    timestamp: "1970-01-01T00:00:01Z",
    window: "1m0.5s",
    usage: { cpu: "2", memory: "3Ki" },
  };
  const { apiVersion, kind, raw } = openEnvelope(encodeProtobuf(metricsMessage(node)));
  assert.deepEqual([apiVersion, kind], ["metrics.k8s.io/v1beta1", "NodeMetrics"]);
  const text = hex(raw);
  // timestamp 2: seconds 1, nanoseconds 0; window 3: 60.5 s in nanoseconds, as a varint.
  assert.ok(text.includes("120408011000"), text);
  assert.ok(text.includes("1a070880fad2b0e101"), text);
  // usage 4: one entry a resource, with a key and a quantity.
  assert.ok(text.includes(`220a0a03${hex(Buffer.from("cpu"))}12030a01${hex(Buffer.from("2"))}`), text);
});

test("lists of metrics hold their items so", () => {
  const items = [
    { metadata: { name: "p", namespace: "d" }, timestamp: "1970-01-01T00:00:01Z", window: "15s", containers: [] },
  ];
  const list = { apiVersion: "metrics.k8s.io/v1beta1", kind: "PodMetricsList", metadata: {}, items };
  const { raw } = openEnvelope(encodeProtobuf(metricsMessage(list)));
  // 15 s in nanoseconds.
  assert.ok(hex(raw).includes("1a060880acc7f037"), hex(raw));
});
