import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { gunzipSync } from "node:zlib";
import { isJsonObject, randomInt, seededRandom } from "@skiff/base";
import { type TestCall, type TestSetup, testSetup } from "../fixtures/test-client.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, data: Record<string, string> = { a: "1" }) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

test("an object's life over HTTP", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const made = await call(maps, { method: "POST", body: configMap("a") });
  assert.equal(made.status, 201);
  assert.equal(made.json.kind, "ConfigMap");
  assert.equal((await call(`${maps}/a`)).text, made.text);
  const merged = await call(`${maps}/a`, {
    method: "PATCH",
    body: { data: { b: "2" } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  assert.deepEqual(merged.json.data, { a: "1", b: "2" });
  const applied = await call(`${maps}/new?fieldManager=me`, {
    method: "PATCH",
    body: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\ndata: {x: z}\n",
    headers: { "content-type": "application/apply-patch+yaml" },
  });
  assert.equal(applied.status, 201);
  const list = await call(maps);
  assert.equal(list.json.kind, "ConfigMapList");
  assert.ok(Array.isArray(list.json.items) && list.json.items.length === 2);
  assert.ok(list.json.items.every((item) => isJsonObject(item) && item.kind === undefined));
  const removed = await call(`${maps}/a`, { method: "DELETE" });
  assert.equal(removed.json.status, "Success");
  assert.equal((await call(maps, { method: "DELETE" })).json.kind, "ConfigMapList");
  assert.equal((await call(`${maps}/new`)).status, 404);
});

test("refusals are told as Kubernetes tells them", async () => {
  await using setup = await testSetup();
  await setup.call(maps, { method: "POST", body: configMap("a") });
  const patch = (type: string) => ({ method: "PATCH", body: "{", headers: { "content-type": type } });
  const cases: readonly (readonly [path: string, call: TestCall, status: number, reason: string, message: RegExp])[] = [
    [`${maps}/none`, {}, 404, "NotFound", /^configmaps "none" not found$/],
    ["/apis/apps/v1/nothings", {}, 404, "NotFound", /^the server could not find the requested resource$/],
    ["/api/v1/namespaces/default/nodes", {}, 404, "NotFound", /could not find/],
    [maps, { method: "PUT", body: {} }, 405, "MethodNotAllowed", /does not allow this method/],
    [maps, { method: "POST", body: configMap("a") }, 409, "AlreadyExists", /^configmaps "a" already exists$/],
    [maps, { method: "POST", body: configMap("A") }, 422, "Invalid", /^ConfigMap "A" is invalid: metadata.name: /],
    [maps, { method: "POST", body: "{" }, 400, "BadRequest", /unexpected end of JSON input/],
    [maps, { method: "POST", body: { ...configMap("b"), kind: "Pod" } }, 400, "BadRequest", /Pod/],
    [
      `${maps}?fieldValidation=Strict`,
      { method: "POST", body: { ...configMap("b"), x: 1 } },
      400,
      "BadRequest",
      /unknown field "x"/,
    ],
    [
      `${maps}?dryRun=All&dryRun=Some`,
      { method: "POST", body: configMap("b") },
      422,
      "Invalid",
      /dryRun: Unsupported value: \["All","Some"\]: supported values: "All"/,
    ],
    [`${maps}?dryRun=Some`, { method: "POST", body: configMap("b") }, 422, "Invalid", /dryRun/],
    [
      maps,
      { method: "POST", body: "x", headers: { "content-type": "text/x" } },
      415,
      "UnsupportedMediaType",
      /accepted media types include/,
    ],
    [maps, { headers: { accept: "text/html" } }, 406, "NotAcceptable", /only the following media types/],
    [maps, { method: "POST", body: "x".repeat(3 * 1024 * 1024 + 1) }, 413, "RequestEntityTooLarge", /limit is 3145728/],
    [
      `${maps}/a`,
      { method: "PUT", body: configMap("b") },
      400,
      "BadRequest",
      /name of the object \(b\) does not match the name on the URL \(a\)/,
    ],
    [`${maps}/a`, patch("application/json-patch+json"), 400, "BadRequest", /error decoding patch/],
    [`${maps}/a`, patch("text/plain"), 415, "UnsupportedMediaType", /strategic-merge-patch/],
    [`${maps}/a`, patch("application/apply-patch+yaml"), 422, "Invalid", /fieldManager: Required value/],
    [maps, { known: false }, 403, "Forbidden", /User "system:anonymous" cannot list resource "configmaps"/],
    [maps, { known: false, headers: { authorization: "Bearer nonsense" } }, 401, "Unauthorized", /^Unauthorized$/],
    [`${maps}?limit=1&continue=x`, {}, 400, "BadRequest", /continue key is not valid/],
  ];
  for (const [path, options, status, reason, message] of cases) {
    const answer = await setup.call(path, options);
    const what = `${options.method ?? "GET"} ${path}: ${answer.text.slice(0, 300)}`;
    assert.equal(answer.status, status, what);
    assert.equal(answer.json.kind, "Status", what);
    assert.equal(answer.json.reason, reason, what);
    assert.match(String(answer.json.message), message, what);
  }
  const nowhere = await setup.call("/nowhere");
  assert.equal(`${nowhere.status} ${nowhere.text}`, "404 404 page not found\n");
});

test("warnings, YAML, tables, metadata only, indentation, compression", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const warned = await call(maps, { method: "POST", body: { ...configMap("a"), nope: 1 } });
  assert.equal(warned.headers.warning, '299 - "unknown field \\"nope\\""');
  assert.match((await call(`${maps}/a`, { headers: { accept: "application/yaml" } })).text, /^kind: ConfigMap$/m);
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const { json } = await call(maps, { headers: { accept: table } });
  assert.equal(json.kind, "Table");
  assert.ok(Array.isArray(json.rows) && isJsonObject(json.rows[0]));
  assert.deepEqual(Array.isArray(json.rows[0].cells) && json.rows[0].cells.slice(0, 2), ["a", 1]);
  const partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
  const metadata = await call(`${maps}/a`, { headers: { accept: partial } });
  assert.equal(metadata.json.kind, "PartialObjectMetadata");
  assert.equal(metadata.json.data, undefined);
  assert.match((await call(`${maps}/a?pretty=true`)).text, /\n {2}"kind": "ConfigMap"/);
  await call(maps, { method: "POST", body: configMap("large", { x: "y".repeat(200_000) }) });
  const small = await call(`${maps}/a`, { headers: { "accept-encoding": "gzip" } });
  assert.equal(small.headers["content-encoding"], undefined);
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  request({ ...setup.place, path: `${maps}/large`, headers: { "accept-encoding": "gzip" } }, (response) => {
    assert.equal(response.headers["content-encoding"], "gzip");
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => resolve(Buffer.concat(chunks)));
  }).end();
  assert.ok(gunzipSync(await promise).length > 200_000);
});

test("HTTP/2: many streams on one connection, watches among them", async () => {
  await using setup = await testSetup();
  const { ca } = setup.authority;
  const session = connectHttp2(`https://127.0.0.1:${setup.listener.port}`, { ca, ...setup.admin });
  const call = (path: string, method = "GET", body?: string) =>
    new Promise<{ status: unknown; text: string }>((resolve, reject) => {
      const stream = session.request({ ":path": path, ":method": method, "content-type": "application/json" });
      let status: unknown;
      let text = "";
      stream.on("response", (headers) => {
        status = headers[":status"];
      });
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
      });
      stream.on("end", () => resolve({ status, text })).on("error", reject);
      stream.end(body);
    });
  /** Resolves with what a watch has told once that is 51 events. */
  const watch = () =>
    new Promise<string>((resolve, reject) => {
      const stream = session.request({ ":path": `${maps}?watch=true` });
      let text = "";
      stream.on("error", reject).on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
        if (text.split("\n").length === 52) resolve(text);
      });
    });
  const watches = Array.from({ length: 300 }, watch);
  const created = await Promise.all(
    Array.from({ length: 50 }, (_, index) => call(maps, "POST", JSON.stringify(configMap(`c${index}`)))),
  );
  assert.ok(created.every(({ status }) => status === 201));
  assert.equal((await call(`${maps}/none`)).status, 404);
  assert.equal((await call(maps, "POST", "x".repeat(4_000_000))).status, 413);
  await call(maps, "POST", JSON.stringify(configMap("last")));
  const told = await Promise.all(watches);
  assert.ok(told.every((text) => text === told[0] && /"name":"last"[^\n]*\n$/.test(text)));
  session.destroy();
});

test("a client that half opens a connection or breaks off harms nobody", async () => {
  await using setup = await testSetup();
  const options = { host: "127.0.0.1", port: setup.listener.port, ca: setup.authority.ca, ...setup.admin };
  const open = (text: string) =>
    new Promise<ReturnType<typeof connectTls>>((resolve) => {
      const socket = connectTls(options, () => {
        socket.write(text);
        resolve(socket);
      });
      socket.on("error", () => {});
    });
  const sockets = await Promise.all([
    open("GET /api/v1/pods HTTP/1.1\r\nHost: x\r\n"),
    open(`POST ${maps} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`),
    open("nonsense\r\n\r\n"),
    open(`GET ${maps}?watch=true HTTP/1.1\r\nHost: x\r\n\r\n`),
  ]);
  assert.equal((await setup.call(maps)).status, 200);
  for (const socket of sockets) socket.destroy();
  assert.equal((await setup.call(maps)).status, 200);
});

test("stopping ends watches and lets requests finish", async () => {
  const setup = await testSetup();
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  request({ ...setup.place, path: `${maps}?watch=true` }, (response) => {
    begun.resolve();
    response.resume().on("end", ended.resolve).on("error", ended.reject);
  }).end();
  await begun.promise;
  const write = request({
    ...setup.place,
    path: maps,
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  const answered = once(write, "response");
  // Only a connection that is there is waited for.
  const [socket] = await once(write, "socket");
  if (socket.connecting || !socket.authorized) await once(socket, "secureConnect");
  write.end(JSON.stringify(configMap("last")));
  await setup[Symbol.asyncDispose]();
  await ended.promise;
  const [{ statusCode }] = await answered;
  assert.equal(statusCode, 201);
});

test("whatever is sent, the answer is a Status and the server lives", async () => {
  await using setup = await testSetup();
  await setup.call(maps, { method: "POST", body: configMap("a") });
  const random = seededRandom(7);
  for (let round = 0; round < 400; round++) {
    const { status, json, text } = await setup.call(...nonsense(random));
    assert.ok(status < 500, `round ${round}: ${text}`);
    if (status >= 400 && !/^40[04] [a-zB]/.test(text)) assert.equal(json.kind, "Status", `round ${round}: ${text}`);
  }
  assert.equal((await setup.call(`${maps}/a`)).status, 200);
});

function nonsense(random: ReturnType<typeof seededRandom>): Parameters<TestSetup["call"]> {
  const pick = <T>(...from: readonly [T, ...T[]]): T => from[randomInt(random, from.length)] ?? from[0];
  const bytes = () => Buffer.from(Array.from({ length: randomInt(random, 40) }, () => randomInt(random, 256)));
  const value = (depth: number): unknown =>
    depth > 4
      ? pick<unknown>(null, "", "x", 0, -1, 1.5, 1e300, true, [], {})
      : pick<unknown>(
          {
            [pick("metadata", "spec", "data", "op", "path", "a", "__proto__", "finalizers", "labels")]: value(
              depth + 1,
            ),
          },
          [value(depth + 1), value(depth + 1)],
          value(5),
        );
  const body = () =>
    pick<string | Buffer>(
      JSON.stringify(value(0)),
      JSON.stringify([value(1)]),
      bytes(),
      "k8s\0\x0a\x02",
      JSON.stringify({ ...configMap("z"), metadata: value(2) }),
    );
  const path = pick(
    maps,
    `${maps}/a`,
    `${maps}/a/status`,
    `${maps}/%zz`,
    `${maps}/..%2f..`,
    "//",
    "/api/v1",
    "/apis/",
    "/api/v1/watch/nothings",
    "/api/v1/pods",
    "/apis/apps/v1/namespaces/default/deployments/x/scale",
    "/api/v1/namespaces/default/pods/x/exec",
  );
  const query = pick(
    "",
    "?limit=-1",
    "?limit=x",
    "?dryRun=All",
    "?labelSelector=%3D%3D",
    "?fieldManager=%00",
    "?force=true",
    "?resourceVersion=-1",
    "?fieldValidation=Strict",
    "?timeoutSeconds=1&watch=1&resourceVersion=x",
    "?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0",
  );
  const method = pick("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD");
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return [path + query, { method: "GET" }];
  const type = pick(
    "application/json",
    "application/yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
    "text/x",
    "",
  );
  return [path + query, { method, body: body(), headers: { "content-type": type } }];
}
