import assert from "node:assert/strict";
import { test } from "node:test";
import {
  deepCopy,
  deepFreeze,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  randomInt,
  seededRandom,
} from "@skiff/base";
import { definitionSchema } from "../schema/definition-schema.ts";
import { StatusError } from "../status-error.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

test("JSON patch", () => {
  const cases: readonly (readonly [target: JsonValue, patch: JsonValue[], expected: JsonValue])[] = [
    [{ a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 3] }, [{ op: "add", path: "/a/1", value: 2 }], { a: [1, 2, 3] }],
    [{ a: [1] }, [{ op: "add", path: "/a/-", value: 2 }], { a: [1, 2] }],
    [{ a: [1, 2, 3] }, [{ op: "remove", path: "/a/-1" }], { a: [1, 2] }],
    [{ a: { "b/c": 1 } }, [{ op: "remove", path: "/a/b~1c" }], { a: {} }],
    [{ a: 1 }, [{ op: "replace", path: "/a", value: null }], { a: null }],
    [{ a: 1 }, [{ op: "move", from: "/a", path: "/b" }], { b: 1 }],
    [
      { a: { x: 1 } },
      [
        { op: "copy", from: "/a", path: "/b" },
        { op: "add", path: "/b/y", value: 2 },
      ],
      { a: { x: 1 }, b: { x: 1, y: 2 } },
    ],
    [{ a: { x: [1] } }, [{ op: "test", path: "/a", value: { x: [1] } }], { a: { x: [1] } }],
    [{ a: 1 }, [{ op: "test", path: "/b", value: null }], { a: 1 }],
    [{ a: 1 }, [{ op: "replace", path: "", value: { b: 1 } }], { b: 1 }],
  ];
  for (const [target, patch, expected] of cases) {
    assert.deepEqual(applyJsonPatch(deepFreeze(target), deepFreeze(patch)), expected, JSON.stringify(patch));
  }
});

test("JSON patches that cannot be applied", () => {
  const cases: readonly (readonly [JsonValue, number])[] = [
    [{ op: "add" }, 400],
    [["x"], 400],
    [[{ op: "test", path: "/a", value: 2 }], 422],
    [[{ op: "remove", path: "/b" }], 422],
    [[{ op: "replace", path: "/b", value: 1 }], 422],
    [[{ op: "add", path: "/b/c", value: 1 }], 422],
    [[{ op: "add", path: "/list/4", value: 1 }], 422],
    [[{ op: "add", path: "/list/01", value: 1 }], 422],
    [[{ op: "jump", path: "/a" }], 422],
    [[{ op: "move", from: "/list", path: "/list/0" }], 422],
    [Array.from({ length: 10_001 }, () => ({ op: "test", path: "/a", value: 1 })), 413],
    [Array.from({ length: 40 }, () => ({ op: "copy", from: "/list", path: "/list/-" })), 422],
  ];
  for (const [patch, code] of cases) {
    assert.throws(
      () => applyJsonPatch({ a: 1, list: [1] }, patch),
      (error) => {
        assert.ok(error instanceof StatusError);
        assert.equal(error.code, code, JSON.stringify(patch).slice(0, 100));
        if (code === 422) assert.equal(error.message, "the server rejected our request due to an error in our request");
        return true;
      },
    );
  }
});

test("merge patch", () => {
  const cases: readonly (readonly [JsonValue, JsonValue, JsonValue])[] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{ a: 1 }, ["c"], ["c"]],
  ];
  for (const [target, patch, expected] of cases) assert.deepEqual(applyMergePatch(deepFreeze(target), patch), expected);
});

const podSpec = definitionSchema("core.v1.PodSpec");
const objectMeta = definitionSchema("meta.v1.ObjectMeta");

test("strategic merge patch", () => {
  const target: JsonObject = deepFreeze({
    containers: [
      { name: "a", image: "1", ports: [{ containerPort: 80, name: "http" }], args: ["x"] },
      { name: "b", image: "2" },
    ],
    nodeSelector: { disk: "ssd", zone: "x" },
    volumes: [{ name: "v", emptyDir: {} }],
    tolerations: [{ key: "k" }],
  });
  const cases: readonly (readonly [patch: JsonObject, field: string, expected: JsonValue | undefined])[] = [
    [{ containers: [{ name: "b", image: "3" }] }, "containers/images", ["a:1", "b:3"]],
    [{ containers: [{ name: "c", image: "3" }] }, "containers/images", ["c:3", "a:1", "b:2"]],
    [{ containers: [{ name: "a", $patch: "delete" }] }, "containers/images", ["b:2"]],
    [{ containers: [{ $patch: "replace" }, { name: "z", image: "9" }] }, "containers/images", ["z:9"]],
    [
      {
        $setElementOrder: 1,
        "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
        containers: [{ name: "a", image: "7" }],
      },
      "containers/images",
      ["b:2", "a:7"],
    ],
    [{ "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] }, "containers/images", ["b:2", "a:1"]],
    [
      {
        "$setElementOrder/containers": [{ name: "a" }, { name: "c" }, { name: "b" }],
        containers: [{ name: "c", image: "3" }],
      },
      "containers/images",
      ["a:1", "c:3", "b:2"],
    ],
    [{ nodeSelector: { zone: null, rack: "1" } }, "nodeSelector", { disk: "ssd", rack: "1" }],
    [{ nodeSelector: { $patch: "replace", rack: "1" } }, "nodeSelector", { rack: "1" }],
    [{ nodeSelector: { $patch: "delete" } }, "nodeSelector", {}],
    [{ nodeSelector: null }, "nodeSelector", undefined],
    [{ tolerations: [{ key: "l" }] }, "tolerations", [{ key: "l" }]],
    [
      { volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/" } }] },
      "volumes",
      [{ name: "v", hostPath: { path: "/" } }],
    ],
    [{ securityContext: { runAsUser: null, sysctls: [] } }, "securityContext", { sysctls: [] }],
  ];
  for (const [patch, field, expected] of cases) {
    const { $setElementOrder: _unused, ...rest } = patch;
    const result = applyStrategicMergePatch(target, rest, podSpec);
    const [name = "", view] = field.split("/");
    const value = result[name];
    const shown =
      view === "images" && Array.isArray(value)
        ? value.map((item) => (isJsonObject(item) ? `${item.name}:${item.image}` : ""))
        : value;
    assert.deepEqual(shown, expected, JSON.stringify(patch));
  }
  const ports = applyStrategicMergePatch(
    target,
    { containers: [{ name: "a", ports: [{ containerPort: 81 }], args: ["y"] }] },
    podSpec,
  );
  assert.deepEqual(ports.containers, [
    { name: "a", image: "1", ports: [{ containerPort: 81 }, { containerPort: 80, name: "http" }], args: ["y"] },
    { name: "b", image: "2" },
  ]);
});

test("strategic merge patch of lists of values", () => {
  const finalizers = (patch: JsonObject) =>
    applyStrategicMergePatch({ finalizers: ["a", "b"] }, patch, objectMeta).finalizers;
  assert.deepEqual(finalizers({ finalizers: ["c"] }), ["c", "a", "b"]);
  assert.deepEqual(finalizers({ finalizers: ["b"] }), ["a", "b"]);
  assert.deepEqual(finalizers({ "$deleteFromPrimitiveList/finalizers": ["a"] }), ["b"]);
  assert.deepEqual(
    finalizers({
      "$deleteFromPrimitiveList/finalizers": ["a"],
      "$setElementOrder/finalizers": ["c", "b"],
      finalizers: ["c"],
    }),
    ["c", "b"],
  );
});

test("strategic merge patches that are malformed", () => {
  const cases: readonly (readonly [JsonObject, number, RegExp])[] = [
    [{ containers: [{ image: "x" }] }, 500, /^map: map\[image:x\] does not contain declared merge key: name$/],
    [{ containers: ["x"] }, 500, /expected map/],
    [{ nodeSelector: { $patch: "wipe" } }, 500, /^unknown patch type: wipe in map: map\[\$patch:wipe\]$/],
    [{ volumes: [{ name: "v", $retainKeys: ["name"], hostPath: {} }] }, 400, /^invalid patch format of retainKeys$/],
    [{ "$setElementOrder/containers": 1 }, 400, /setElementOrder/],
    [{ "$deleteFromPrimitiveList/finalizers": 1 }, 400, /primitive list/],
    [{ "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "a" }] }, 500, /^The order in patch list:/],
  ];
  for (const [patch, code, message] of cases) {
    assert.throws(
      () => applyStrategicMergePatch({ containers: [{ name: "a" }], volumes: [{ name: "v" }] }, patch, podSpec),
      (error) => error instanceof StatusError && error.code === code && message.test(error.message),
      JSON.stringify(patch),
    );
  }
});

test("whatever the patch: an object or a status, the target unharmed, and applying twice changes nothing more", () => {
  const random = seededRandom(5);
  const names = [
    "containers",
    "name",
    "image",
    "nodeSelector",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$deleteFromPrimitiveList/x",
    "volumes",
  ];
  const make = (depth: number): JsonValue => {
    switch (randomInt(random, depth > 4 ? 4 : 8)) {
      case 0:
        return null;
      case 1:
        return ["replace", "delete", "a", "b"][randomInt(random, 4)] ?? null;
      case 2:
        return 1;
      case 3:
        return true;
      case 4:
      case 5:
        return Array.from({ length: randomInt(random, 3) }, () => make(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: randomInt(random, 4) }, () => [
            names[randomInt(random, names.length)] ?? "",
            make(depth + 1),
          ]),
        );
    }
  };
  const target: JsonObject = { containers: [{ name: "a", image: "x" }, { name: "b" }], nodeSelector: { name: "a" } };
  const before = deepCopy(target);
  for (let round = 0; round < 4000; round++) {
    const patch = make(0);
    try {
      assert.deepEqual(applyMergePatch(applyMergePatch(target, patch), patch), applyMergePatch(target, patch));
      if (isJsonObject(patch)) {
        const once = applyStrategicMergePatch(target, patch, podSpec);
        JSON.stringify(once);
      }
      applyJsonPatch(target, [{ op: "add", path: "/nodeSelector/x", value: patch }, patch]);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }
  assert.deepEqual(target, before);
});
