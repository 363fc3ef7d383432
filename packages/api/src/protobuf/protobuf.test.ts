import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject, seededRandom } from "@skiff/base";
import { filledObject } from "../fixtures/filled-object.ts";
import { definitions } from "../generated/definitions.ts";
import { DecodeFailure } from "../schema/decode-failure.ts";
import { definitionSchema } from "../schema/definition-schema.ts";

import { StatusError } from "../status-error.ts";
import { decodeAnyProtobuf, decodeProtobufObject } from "./decode-body.ts";
import { decodeMessage, decodeProtobuf, encodeMessage, encodeProtobuf, messageOf } from "./envelope.ts";
import { decodeWatchFrames, encodeWatchFrame } from "./watch-frame.ts";
import { WireWriter } from "./wire-writer.ts";

test("every field of every definition comes back", () => {
  let compared = 0;
  for (const name of Object.keys(definitions)) {
    // What a Go program says of its build is never sent in protobuf.
    if (name === "machinery.version.Info") continue;
    const object = filledObject(definitionSchema(name));
    assert.deepEqual(decodeMessage(encodeMessage(object, name), name), object, name);
    compared++;
  }
  assert.ok(compared > 700, String(compared));
});

test("simpler forms within JSON schemas come back", () => {
  for (const schema of [
    { additionalProperties: false },
    { additionalProperties: true },
    { additionalProperties: {} },
    { items: { type: "string" } },
    { dependencies: { a: { type: "string" } } },
    { enum: ["a", 1, null, { b: 2 }] },
    { default: 0, minimum: 0, maxItems: 0, "x-kubernetes-preserve-unknown-fields": false },
    { default: false, example: "" },
  ] satisfies JsonObject[]) {
    const definition = "apiextensions.v1.JSONSchemaProps";
    assert.deepEqual(decodeMessage(encodeMessage(schema, definition), definition), schema);
  }
});

test("empty values stay where they say something", () => {
  const roundTrip = (object: JsonObject) => decodeProtobuf(encodeProtobuf(object)).object;
  const deployment = {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: { name: "web", namespace: "", generation: 0, labels: { empty: "" }, deletionGracePeriodSeconds: 0 },
    spec: {
      replicas: 0,
      minReadySeconds: 0,
      paused: false,
      strategy: {},
      template: {
        metadata: {},
        spec: {
          automountServiceAccountToken: false,
          hostNetwork: false,
          terminationGracePeriodSeconds: 0,
          nodeName: "",
          volumes: [{ name: "v", emptyDir: {} }],
          containers: [
            {
              name: "",
              image: "",
              ports: [{ containerPort: 0, hostPort: 0 }],
              securityContext: { runAsUser: 0, privileged: false, procMount: "" },
              livenessProbe: { tcpSocket: { port: 0 }, timeoutSeconds: 0, terminationGracePeriodSeconds: 0 },
            },
          ],
        },
      },
    },
  };
  assert.deepEqual(roundTrip(deployment), {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: { name: "web", labels: { empty: "" }, deletionGracePeriodSeconds: 0 },
    spec: {
      replicas: 0,
      strategy: {},
      template: {
        metadata: {},
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          volumes: [{ name: "v", emptyDir: {} }],
          containers: [
            {
              name: "",
              ports: [{ containerPort: 0 }],
              securityContext: { runAsUser: 0, privileged: false, procMount: "" },
              livenessProbe: { tcpSocket: { port: 0 }, terminationGracePeriodSeconds: 0 },
            },
          ],
        },
      },
    },
  });
  const claim = { kind: "PersistentVolumeClaim", apiVersion: "v1", spec: { storageClassName: "", volumeName: "" } };
  assert.deepEqual(roundTrip(claim).spec, { storageClassName: "" });
});

test("a zero time is none, and so is free JSON that is empty", () => {
  const writer = new WireWriter();
  writer.bytes(2, Buffer.alloc(0));
  writer.bytes(1, Buffer.concat([Buffer.from([0x42, 0]), encodeMessage({ name: "a" }, "meta.v1.ObjectMeta")]));
  assert.deepEqual(decodeMessage(writer.finish(), "apps.v1.ControllerRevision"), { metadata: { name: "a" } });
});

test("numbers of a list may be packed", () => {
  const packed = Buffer.from([0x22, 3, 1, 0xac, 0x02]);
  assert.deepEqual(decodeMessage(packed, "core.v1.PodSecurityContext"), { supplementalGroups: [1, 300] });
});

test("unknown fields of every wire type are passed over", () => {
  const unknown = Buffer.from([
    ...[0xf8, 0x3f, 0xff, 0x01, 0xf9, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8, 0xfa, 0x3f, 2, 9, 9, 0xfd, 0x3f, 1, 2, 3, 4],
    ...[0xfb, 0x3f, 0x08, 1, 0x13, 0x14, 0xfc, 0x3f],
  ]);
  const known = encodeMessage({ name: "a" }, "core.v1.EnvVar");
  assert.deepEqual(decodeMessage(Buffer.concat([unknown, known]), "core.v1.EnvVar"), { name: "a" });
});

test("a message in two pieces is one", () => {
  const pieces = [{ limits: { cpu: "1" } }, { requests: { cpu: "500m" } }].map((resources) =>
    encodeMessage({ resources }, "core.v1.Container"),
  );
  assert.deepEqual(decodeMessage(Buffer.concat(pieces), "core.v1.Container"), {
    resources: { limits: { cpu: "1" }, requests: { cpu: "500m" } },
  });
});

test("bytes as client libraries write them: every field held by value, empty or not", () => {
  const body = Buffer.concat([
    Buffer.from("6b3873000a0f0a0276311209", "hex"),
    Buffer.from("ConfigMap"),
    Buffer.from("121b", "hex"),
    Buffer.from("0a110a016112001a0022002a00320038004200", "hex"),
    Buffer.from("12060a016b120176", "hex"),
    Buffer.from("1a002200", "hex"),
  ]);
  assert.deepEqual(decodeProtobuf(body).object, {
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: { name: "a" },
    data: { k: "v" },
  });
});

test("messages of kinds", () => {
  for (const [apiVersion, kind, message] of [
    ["v1", "Pod", "core.v1.Pod"],
    ["rbac.authorization.k8s.io/v1", "Role", "rbac.v1.Role"],
    ["apps/v1", "DeleteOptions", "meta.v1.DeleteOptions"],
    ["v1", "Status", "meta.v1.Status"],
    ["policy/v1", "Eviction", "policy.v1.Eviction"],
    ["autoscaling/v1", "Scale", "autoscaling.v1.Scale"],
    ["apps.example.com/v1", "Deployment", undefined],
    ["v1", "constructor", undefined],
    ["__proto__/v1", "toString", undefined],
  ] as const) {
    assert.equal(messageOf(apiVersion, kind), message, `${apiVersion} ${kind}`);
  }
});

test("keys of maps that objects have of their own", () => {
  const data = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}');
  const decoded = decodeMessage(encodeMessage({ data }, "core.v1.ConfigMap"), "core.v1.ConfigMap");
  assert.deepEqual(Object.entries(isJsonObject(decoded.data) ? decoded.data : {}), Object.entries(data));
});

test("free JSON may stand in an envelope", () => {
  const inner = { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "in" } };
  const writer = new WireWriter();
  writer.bytes(1, encodeProtobuf(inner));
  writer.lengthOf(2, writer.size);
  assert.deepEqual(decodeMessage(writer.finish(), "apps.v1.ControllerRevision"), { data: inner });
});

test("frames of a watch, in pieces", () => {
  const pod = { kind: "Pod", apiVersion: "v1", metadata: { name: "a", resourceVersion: "7" } };
  const stream = Buffer.concat(["ADDED", "BOOKMARK"].map((type) => encodeWatchFrame(type, encodeProtobuf(pod))));
  const first = decodeWatchFrames(stream.subarray(0, stream.length - 5));
  assert.deepEqual(
    first.frames.map(({ type }) => type),
    ["ADDED"],
  );
  const second = decodeWatchFrames(Buffer.concat([first.rest, stream.subarray(stream.length - 5)]));
  assert.deepEqual(
    second.frames.map(({ type, envelope }) => [type, decodeProtobuf(envelope).object]),
    [["BOOKMARK", pod]],
  );
  assert.throws(() => decodeWatchFrames(Buffer.from([0xff, 0xff, 0xff, 0xff])), DecodeFailure);
});

const podRequest = { schema: definitionSchema("core.v1.Pod"), group: "", version: "v1", kind: "Pod" };

test("refusals say what Kubernetes says", () => {
  const refusal = (bytes: Uint8Array) => {
    try {
      decodeProtobufObject({ ...podRequest, bytes });
    } catch (error) {
      assert.ok(error instanceof StatusError && error.code === 400);
      return error.message;
    }
    return "";
  };
  assert.match(refusal(Buffer.alloc(0)), /must be of type Pod\): empty data \(<empty>\)/);
  assert.match(refusal(Buffer.from("{}")), /expected prefix \[107 56 115 0\] \(7b7d\)/);
  const other = encodeProtobuf({ kind: "ConfigMap", apiVersion: "v1" });
  assert.match(refusal(other), /ConfigMap in version "v1" cannot be handled as a Pod: no kind "ConfigMap"/);
  const later = encodeProtobuf({ kind: "Pod", apiVersion: "v2" }, "core.v1.Pod");
  assert.match(refusal(later), /API version in the data \(v2\) does not match the expected API version \(v1\)/);
});

test("bodies of bytes that are none are refused, quickly and never otherwise", () => {
  const random = seededRandom(7);
  const whole = encodeProtobuf({
    kind: "Pod",
    apiVersion: "v1",
    ...filledObject(definitionSchema("core.v1.Pod")),
  });
  assert.deepEqual(decodeProtobufObject({ ...podRequest, bytes: whole }).kind, "Pod");
  const attempt = (bytes: Buffer) => {
    for (const decode of [() => decodeProtobufObject({ ...podRequest, bytes }), () => decodeAnyProtobuf(bytes)]) {
      try {
        decode();
      } catch (error) {
        assert.ok(error instanceof StatusError && error.code === 400 && error.message !== "", String(error));
      }
    }
  };
  for (let length = 0; length < whole.length; length += 37) attempt(whole.subarray(0, length));
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(whole);
    for (let change = 0; change < 4; change++) {
      bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256);
    }
    attempt(bytes);
    const noise = Buffer.from(Array.from({ length: 64 }, () => Math.floor(random.next() * 256)));
    const envelope = new WireWriter();
    envelope.bytes(2, noise);
    attempt(Buffer.concat([Buffer.from("k8s\0"), envelope.finish()]));
  }
});

test("nesting without end is refused", () => {
  let schema: Buffer = Buffer.alloc(0);
  for (let depth = 0; depth < 5000; depth++) {
    const writer = new WireWriter();
    writer.bytes(28, schema);
    schema = writer.finish();
  }
  assert.throws(() => decodeMessage(schema, "apiextensions.v1.JSONSchemaProps"), /exceeded max depth/);
});

test("values of a wrong type are left out", () => {
  const object = {
    metadata: { name: 5, creationTimestamp: "never", labels: ["a"], finalizers: "f", generation: 1.5 },
    spec: { replicas: "two", selector: 1, template: { spec: { hostNetwork: "yes", containers: [{ name: "c" }] } } },
  };
  assert.deepEqual(decodeMessage(encodeMessage(object, "apps.v1.Deployment"), "apps.v1.Deployment"), {
    metadata: {},
    // A message is there, whatever should have been in it.
    spec: { selector: {}, template: { spec: { containers: [{ name: "c" }] } } },
  });
});
