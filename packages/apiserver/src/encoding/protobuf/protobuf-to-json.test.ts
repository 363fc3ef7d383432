import assert from "node:assert/strict";
import { test } from "node:test";
import { protobufToJson } from "./protobuf-to-json.ts";

/** A length-delimited field. */
const field = (tag: number, content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content);
  assert.ok(bytes.length < 16_384);
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(tag << 3) | 2, ...length]), bytes]);
};
const number = (tag: number, value: number): Buffer => Buffer.from([tag << 3, value]);
const all = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);
const body = (apiVersion: string, kind: string, message: Buffer): Buffer =>
  all(Buffer.from("k8s\0"), field(1, all(field(1, apiVersion), field(2, kind))), field(2, message));

test("messages become what they are in JSON", () => {
  const meta = all(
    field(1, "web"),
    field(3, ""),
    number(7, 0),
    field(8, Buffer.alloc(0)),
    field(11, all(field(1, "a"), field(2, "b"))),
  );
  const volume = all(field(1, "v"), field(2, field(2, field(1, "Memory"))));
  const limits = field(1, all(field(1, "cpu"), field(2, field(1, "100m"))));
  const port = all(number(1, 1), field(3, "http"));
  const probe = all(field(1, field(2, all(field(1, "/"), field(2, port)))), number(2, 0));
  const security = all(number(4, 0), number(5, 0));
  const container = all(
    field(1, "c"),
    field(2, "x"),
    field(3, "a"),
    field(3, "b"),
    field(8, limits),
    field(10, probe),
    field(15, security),
  );
  const pod = all(field(1, meta), field(2, all(field(1, volume), field(2, container), number(11, 0))));
  assert.deepEqual(JSON.parse(protobufToJson(body("v1", "Pod", pod))), {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name: "web", labels: { a: "b" } },
    spec: {
      volumes: [{ name: "v", emptyDir: {} }].map((one) => ({ ...one, emptyDir: { medium: "Memory" } })),
      containers: [
        {
          name: "c",
          image: "x",
          command: ["a", "b"],
          resources: { limits: { cpu: "100m" } },
          livenessProbe: { httpGet: { path: "/", port: "http" } },
          // Zero is root: not the same as unsaid.
          securityContext: { runAsUser: 0, runAsNonRoot: false },
        },
      ],
    },
  });
});

test("bytes that are none of that are refused", () => {
  const cases: readonly Buffer[] = [
    Buffer.from("{}"),
    Buffer.from("k8s\0\x0a\xff"),
    body("v1", "Nothing", Buffer.alloc(0)),
    body("v1", "Pod", Buffer.from([0x0a, 0x7f])),
    body("v1", "Pod", Buffer.from([0x07])),
  ];
  for (const bytes of cases) assert.throws(() => protobufToJson(bytes), { code: 400, reason: "BadRequest" });
});
