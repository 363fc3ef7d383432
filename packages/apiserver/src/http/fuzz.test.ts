/**
 * Nonsense from outside: whatever is sent, the answer is a refusal (or what was asked for), never a failure of the server's own,
 * and the server goes on. `SKIFF_FUZZ_SEED` repeats a run, `SKIFF_FUZZ_ROUNDS` makes it longer.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeProtobuf } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue, type Random, randomInt, seededRandom } from "@skiff/base";
import { type TestCall, type TestSetup, testSetup } from "../fixtures/test-client.ts";

const seed = Number(process.env.SKIFF_FUZZ_SEED ?? 1);
const rounds = Number(process.env.SKIFF_FUZZ_ROUNDS ?? 150);

const maps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";
const deployments = "/apis/apps/v1/namespaces/default/deployments";

const template = {
  metadata: { labels: { a: "b" } },
  spec: {
    containers: [
      {
        name: "c",
        image: "i",
        ports: [{ containerPort: 80, name: "http" }],
        env: [{ name: "A", value: "b" }],
        resources: { limits: { cpu: "100m" } },
        livenessProbe: { httpGet: { path: "/", port: 80 } },
      },
    ],
    volumes: [{ name: "v", emptyDir: {} }],
  },
};

const samples: readonly (readonly [string, JsonObject])[] = [
  [maps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "base", labels: { a: "b" } }, data: { a: "1" } }],
  [pods, { apiVersion: "v1", kind: "Pod", metadata: { name: "base" }, spec: template.spec }],
  [
    deployments,
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "base" },
      spec: { replicas: 1, selector: { matchLabels: { a: "b" } }, template },
    },
  ],
  [
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "base" },
      spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } },
    },
  ],
  [
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "base" },
      rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }],
    },
  ],
];

const oddities: readonly JsonValue[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  -(2 ** 63),
  1e300,
  "",
  "\u0000",
  "é\ud800",
  "__proto__",
  "a".repeat(300),
  "2026-13-01T00:00:00Z",
  "1e1000000",
  "-5Gi",
  [],
  {},
  [[]],
  [null],
  { constructor: 1 },
  { $patch: "replace" },
  { $patch: "sideways" },
  { $retainKeys: ["a"] },
  { "$setElementOrder/containers": [{ name: "x" }] },
  { "$deleteFromPrimitiveList/finalizers": 1 },
];

const pick = <T>(random: Random, list: readonly T[], otherwise: T): T =>
  list[randomInt(random, list.length)] ?? otherwise;

/** The value with one thing in it changed: gone, odd, doubled, or moved elsewhere. */
function mutated(value: JsonValue, random: Random): JsonValue {
  if (randomInt(random, 6) === 0) return pick(random, oddities, null);
  if (Array.isArray(value)) {
    if (value.length === 0) return [pick(random, oddities, null)];
    const at = randomInt(random, value.length);
    if (randomInt(random, 4) === 0) return [...value, ...value];
    return value.map((item, index) => (index === at ? mutated(item, random) : item));
  }
  if (!isJsonObject(value)) return pick(random, oddities, null);
  const names = Object.keys(value);
  const name = pick(random, names, "x");
  const member = value[name] ?? null;
  switch (randomInt(random, 8)) {
    case 0: {
      const { [name]: _gone, ...rest } = value;
      return rest;
    }
    case 1:
      return { ...value, [pick(random, ["foo", "", "__proto__", "metadata", "$patch", "a/b"], "foo")]: member };
    default:
      return { ...value, [name]: mutated(member, random) };
  }
}

/** A text with some of its characters changed. */
function garbled(text: string, random: Random): string {
  const characters = [...text];
  for (let count = randomInt(random, 4); count >= 0; count--) {
    const at = randomInt(random, characters.length + 1);
    characters.splice(
      at,
      randomInt(random, 3),
      pick(random, ['"', "{", "]", "\u0000", ",", "\\", "é", "&a", "*a", ": "], ""),
    );
  }
  return characters.join("");
}

const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

function patchOf(type: string, sample: JsonObject, random: Random): JsonValue {
  if (!type.startsWith("application/json-patch")) return mutated(sample, random);
  const paths = [
    "/metadata/labels/a",
    "/spec",
    "/spec/replicas",
    "/data/a",
    "/-",
    "",
    "/metadata/finalizers/-",
    "/a~1b/~0",
  ];
  return Array.from({ length: randomInt(random, 4) }, (): JsonValue => {
    const op = pick(random, ["add", "remove", "replace", "move", "copy", "test", "zap"], "add");
    const whole = {
      op,
      path: pick(random, paths, ""),
      from: pick(random, paths, ""),
      value: pick(random, oddities, null),
    };
    return randomInt(random, 4) === 0 ? mutated(whole, random) : whole;
  });
}

const token = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function queryOf(random: Random): string {
  const names = [
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "labelSelector",
    "fieldSelector",
    "timeoutSeconds",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "pretty",
    "propagationPolicy",
    "gracePeriodSeconds",
    "orphanDependents",
    "includeObject",
    "sendInitialEvents",
  ];
  const values = [
    "",
    "0",
    "1",
    "-1",
    "9".repeat(30),
    "true",
    "Exact",
    "NotOlderThan",
    "a in (b",
    "a=b,!c,d notin (e,f)",
    "metadata.name=base",
    "metadata.name!=base,spec.nodeName=",
    token({ v: "meta.k8s.io/v1", rv: 1, start: "default/base" }),
    token({ v: "meta.k8s.io/v1", rv: -1, start: "\u0000" }),
    token({ v: "meta.k8s.io/v1", rv: 1e30, start: {} }),
    "%ff",
    "All",
    "Strict",
    "Foreground",
    "\u0007",
    "a".repeat(200),
  ];
  const pairs = Array.from({ length: randomInt(random, 4) }, () => {
    const value = pick(random, values, "");
    return `${pick(random, names, "limit")}=${value === "%ff" ? value : encodeURIComponent(value)}`;
  });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

const accepts = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/json;as=Table;g=meta.k8s.io;v=v1",
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
  "*/*;q=x,;;",
  "text/html",
];

interface Shot {
  readonly path: string;
  readonly call: TestCall;
}

const kinds: readonly ((random: Random) => Shot)[] = [
  function creation(random) {
    const [path, sample] = pick(random, samples, [maps, {}]);
    const body = JSON.stringify(mutated(sample, random));
    const name = randomInt(random, 3) === 0 ? garbled(body, random) : body;
    const type = pick(random, ["application/json", "application/yaml", "text/plain"], "");
    return { path: path + queryOf(random), call: { method: "POST", body: name, headers: { "content-type": type } } };
  },
  function replacement(random) {
    const [path, sample] = pick(random, samples, [maps, {}]);
    const body = JSON.stringify(mutated(sample, random));
    const place = pick(random, ["/base", "/base/status", "/base/scale", "/none"], "/base");
    return { path: path + place + queryOf(random), call: { method: "PUT", body } };
  },
  function patch(random) {
    const [path, sample] = pick(random, samples, [maps, {}]);
    const type = pick(random, patchTypes, "");
    const text = JSON.stringify(patchOf(type, sample, random));
    const query = queryOf(random);
    const manager = type.includes("apply") ? `${query === "" ? "?" : `${query}&`}fieldManager=fuzz` : query;
    const place = pick(random, ["/base", "/base/status", "/base/scale"], "/base");
    const body = randomInt(random, 5) === 0 ? garbled(text, random) : text;
    return { path: path + place + manager, call: { method: "PATCH", body, headers: { "content-type": type } } };
  },
  function protobuf(random) {
    const [path, sample] = pick(random, samples, [maps, {}]);
    const bytes = Buffer.from(encodeProtobuf(sample));
    for (let count = randomInt(random, 6); count >= 0; count--) {
      bytes[randomInt(random, bytes.length)] = randomInt(random, 256);
    }
    const body = bytes.subarray(0, randomInt(random, 3) === 0 ? randomInt(random, bytes.length) : bytes.length);
    const headers = { "content-type": "application/vnd.kubernetes.protobuf" };
    return { path: `${path}?dryRun=All`, call: { method: "POST", body, headers } };
  },
  function read(random) {
    const [path] = pick(random, samples, [maps, {}]);
    const accept = pick(random, accepts, "");
    return {
      path: path + pick(random, ["", "/base", "/base/scale"], "") + queryOf(random),
      call: { headers: { accept } },
    };
  },
  function deletion(random) {
    const [path] = pick(random, samples, [maps, {}]);
    const options = mutated(
      { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid: "x" }, dryRun: ["All"], gracePeriodSeconds: 1 },
      random,
    );
    const body = randomInt(random, 2) === 0 ? JSON.stringify(options) : "";
    return { path: `${path}/none${queryOf(random)}`, call: { method: "DELETE", ...(body === "" ? {} : { body }) } };
  },
];

/** Failures of the server's own that Kubernetes has in their place, too. */
const asOriginal = [
  /^failed to create typed patch object/,
  /^resourceVersion should not be set on objects to be created$/,
  /does not contain declared merge key/,
  /^unknown patch type: /,
  /^The order in patch list/,
  /^lists of lists are not supported$/,
  /^expected map\[string\]interface\{\} in list/,
];

let setup: TestSetup;
before(async () => {
  setup = await testSetup();
  for (const [path, body] of samples) {
    const made = await setup.call(path, { method: "POST", body });
    assert.equal(made.status, 201, made.text);
  }
});
after(() => setup[Symbol.asyncDispose]());

for (const [index, kind] of kinds.entries()) {
  test(`nonsense: ${kind.name} (seed ${seed})`, async () => {
    const random = seededRandom(seed * 100 + index);
    for (let round = 0; round < rounds; round++) {
      const { path, call } = kind(random);
      const { status, json, text } = await setup.call(path, call);
      const body = Buffer.isBuffer(call.body) ? call.body.toString("base64") : String(call.body);
      const what = `round ${round}: ${status} ${text}\n${call.method ?? "GET"} ${path}\n${body}`;
      assert.ok(status >= 200, what);
      if (status < 500) continue;
      const message = String(json.message);
      const futureRead = status === 504 && message.startsWith("Timeout: Too large resource version");
      assert.ok(futureRead || (status === 500 && asOriginal.some((known) => known.test(message))), what);
    }
    assert.equal((await setup.call("/readyz")).status, 200);
  });
}

test("nonsense leaves nothing in memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  assert.ok(typeof collect === "function");
  const random = seededRandom(seed);
  // Of what makes no objects.
  const passing = kinds.filter(({ name }) => name === "protobuf" || name === "read" || name === "deletion");
  const heldAfter = async (shots: number): Promise<number> => {
    for (let shot = 0; shot < shots; shot++) {
      const { path, call } = pick(random, passing, kinds[0] ?? assert.fail())(random);
      await setup.call(path, call);
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  // What is kept once for each path, header or kind of refusal is there after the first of them.
  const before = await heldAfter(rounds * 4);
  const grown = (await heldAfter(rounds * 8)) - before;
  // Caches that are full at some time; were a request itself kept, it would be several times as much.
  assert.ok(grown < 2 * 1024 * 1024, `${grown} bytes more after ${rounds * 8} requests`);
});
