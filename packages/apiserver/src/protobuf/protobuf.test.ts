import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "@skiff/api";
import { isProtobuf, objectFromProtobuf } from "./body.ts";

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

/** A field as Go writes it. */
function field(number: number, value: number | string | Buffer): Buffer {
  if (typeof value === "number") return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields);

const body = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  message(Buffer.from("k8s\0"), field(1, message(field(1, apiVersion), field(2, kind))), field(2, raw), field(3, ""));

test("a pod: inline members, quantities, pointers, times, values by name", () => {
  const meta = message(
    field(1, "web"),
    field(2, ""),
    field(8, Buffer.alloc(0)),
    field(11, message(field(1, "app"), field(2, "web"))),
    field(11, message(field(1, "empty"), field(2, ""))),
  );
  const probe = message(
    field(1, message(field(2, message(field(1, "/"), field(2, message(field(1, 0), field(2, 80))))))),
    field(3, 0),
  );
  const container = message(
    field(1, "c"),
    field(2, "img"),
    field(8, message(field(1, message(field(1, "cpu"), field(2, message(field(1, "250m"))))))),
    field(11, probe),
  );
  const volume = message(field(1, "v"), field(2, message(field(6, message(field(1, "secret"), field(3, 0))))));
  const spec = message(field(1, volume), field(2, container), field(4, 0), field(11, 0), field(21, 0));
  const pod = objectFromProtobuf(body("v1", "Pod", message(field(1, meta), field(2, spec), field(3, Buffer.alloc(0)))));
  assert.deepEqual(pod, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", labels: { app: "web", empty: "" } },
    spec: {
      volumes: [{ name: "v", secret: { secretName: "secret", defaultMode: 0 } }],
      containers: [
        {
          name: "c",
          image: "img",
          resources: { limits: { cpu: "250m" } },
          readinessProbe: { httpGet: { path: "/", port: 80 } },
        },
      ],
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
    },
    status: {},
  });
});

test("values in forms of their own", () => {
  const secret = message(
    field(2, message(field(1, "k"), field(2, Buffer.from([0, 255])))),
    field(5, 0),
    field(3, "Opaque"),
  );
  assert.deepEqual(objectFromProtobuf(body("v1", "Secret", secret)), {
    apiVersion: "v1",
    kind: "Secret",
    data: { k: "AP8=" },
    immutable: false,
    type: "Opaque",
  });
  const lease = message(field(2, message(field(3, message(field(1, 1767225600), field(2, 123456000))))));
  assert.deepEqual(objectFromProtobuf(body("coordination.k8s.io/v1", "Lease", lease)).spec, {
    acquireTime: "2026-01-01T00:00:00.123000Z",
  });
  const budget = message(field(2, message(field(1, message(field(1, 1), field(2, 0), field(3, "50%"))))));
  assert.deepEqual(objectFromProtobuf(body("policy/v1", "PodDisruptionBudget", budget)).spec, { minAvailable: "50%" });
  const options = objectFromProtobuf(body("v1", "DeleteOptions", field(1, 0)));
  assert.deepEqual(options, { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 });
  const negative = objectFromProtobuf(body("scheduling.k8s.io/v1", "PriorityClass", field(2, -5)));
  assert.equal(negative.value, -5);
});

test("bytes that are no body", () => {
  const cut = body("v1", "Pod", field(1, "x")).subarray(0, -4);
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from("{}"),
    cut,
    body("nope/v9", "Nope", Buffer.alloc(0)),
    body("v1", "Pod", Buffer.from([255])),
  ]) {
    assert.throws(
      () => objectFromProtobuf(bytes),
      (error) => error instanceof StatusError && error.code === 400,
    );
  }
  assert.deepEqual([isProtobuf("application/vnd.kubernetes.protobuf"), isProtobuf("application/json")], [true, false]);
});
