/** Clients that break the rules of TCP, TLS and HTTP, by intent or because they are slow, against a cluster started by the command. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { present, seededRandom } from "@skiff/base";
import { Workbench } from "../story/workbench.ts";
import { ApiCaller, type Call } from "./api-caller.ts";
import { configMap, configMaps, pods } from "./requests.ts";

let bench: Workbench;
let admin: ApiCaller;

before(async () => {
  bench = await Workbench.create("bad-connections");
  const up = await bench.skiff("up", "--runtime", "simulated");
  assert.equal(up.code, 0, up.stderr);
  admin = await ApiCaller.admin(bench);
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

const tcp = async (): Promise<Socket> => {
  const socket = connectTcp(admin.port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
};

const tls = async (): Promise<TLSSocket> => {
  const socket = connectTls({ host: "127.0.0.1", port: admin.port, ...admin.credentials });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
};

/** However it ends: a reset is an end too. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));

/** What a server says to raw text, until it closes the connection. */
async function exchange(text: string | Buffer): Promise<string> {
  const socket = await tls();
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.write(text);
  await closed(socket);
  return Buffer.concat(chunks).toString();
}

async function assertResponsive(): Promise<void> {
  assert.equal((await admin.call({ path: "/readyz" })).code, 200);
}

test("bytes that are no TLS", async () => {
  for (const bytes of ["GET / HTTP/1.1\r\n\r\n", Buffer.alloc(5_000, 0xff), Buffer.from([0x16, 3, 1, 0xff, 0xff, 1])]) {
    const socket = await tcp();
    socket.end(bytes);
    socket.resume();
    await closed(socket);
  }
  await assertResponsive();
});

test("text that is no HTTP", async () => {
  assert.match(await exchange("hello\r\n\r\n"), /^HTTP\/1.1 400 /);
  assert.match(await exchange("GET / HTTP/9.9\r\n\r\n"), /^HTTP\/1.1 (?:400|505) /);
  assert.match(await exchange(`GET / HTTP/1.1\r\nhost: x\r\na: ${"b".repeat(2_000_000)}\r\n\r\n`), /^HTTP\/1.1 431 /);
  const smuggled = "POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
  assert.match(await exchange(smuggled), /^HTTP\/1.1 400 /);
  await assertResponsive();
});

test("a body that breaks off, and one that is longer than it says", async () => {
  const head = (length: number) =>
    `POST ${configMaps} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
  const halfOpen = await tls();
  halfOpen.write(`${head(1_000)}{"metadata"`);
  halfOpen.end();
  halfOpen.resume();
  await closed(halfOpen);
  const tooLong = await exchange(`${head(4 * 1024 * 1024)}${"x".repeat(10_000)}`);
  assert.match(tooLong, /^HTTP\/1.1 413 [\s\S]*connection: close[\s\S]*limit is 3145728/i);
  await assertResponsive();
});

test("1,000 idle connections, and 200 that stop in mid-request", async () => {
  const idle = await Promise.all(Array.from({ length: 1_000 }, tcp));
  const slow = await Promise.all(Array.from({ length: 200 }, tls));
  for (const socket of slow) socket.write(`POST ${configMaps} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{`);
  await assertResponsive();
  assert.equal((await admin.call({ path: pods })).code, 200);
  for (const socket of [...idle, ...slow]) socket.destroy();
  await assertResponsive();
});

test("HTTP/2: thousands of streams that are reset at once", async () => {
  const session = connectHttp2(`https://127.0.0.1:${admin.port}`, admin.credentials);
  session.on("error", () => {});
  await once(session, "connect");
  for (let round = 0; round < 20 && !session.destroyed; round++) {
    for (let at = 0; at < 200 && !session.destroyed; at++) {
      const stream = session.request({ ":path": `${configMaps}?watch=1` });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await assertResponsive();
  session.destroy();
  const rude = await tls();
  rude.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  rude.write(Buffer.alloc(2_000, 0xfe));
  rude.resume();
  await closed(rude);
  await assertResponsive();
});

test("watchers that do not read", async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, tls));
  for (const socket of sockets) {
    socket.pause();
    socket.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n`);
  }
  for (let at = 0; at < 30; at++) {
    const body = configMap(`large-${at}`, { data: { a: "x".repeat(500_000) } });
    assert.equal((await admin.call({ path: configMaps, body })).code, 201);
  }
  await assertResponsive();
  for (const socket of sockets) socket.destroy();
  assert.equal((await admin.call({ method: "DELETE", path: configMaps })).code, 200);
});

test("certificates of another authority, and of the past", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-certificates-"));
  try {
    const pki = `${bench.folder}/home/bad-connections/pki`;
    const subject = "-subj '/O=system:masters/CN=admin' -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    const made = await bench.shell(
      `cd ${folder} && openssl req -x509 ${subject} -keyout foreign.key -out foreign.crt -days 1 &&
       openssl req ${subject} -keyout expired.key -out expired.csr &&
       openssl x509 -req -in expired.csr -CA ${pki}/ca.crt -CAkey ${pki}/ca.key -CAcreateserial -CAserial serial -days -1 -out expired.crt`,
    );
    assert.equal(made.code, 0, made.stderr);
    for (const name of ["foreign", "expired"]) {
      const pem = (end: string) => readFile(join(folder, `${name}.${end}`), "utf8");
      const answer = await admin.as(await pem("crt"), await pem("key")).call({ path: "/version" });
      assert.deepEqual([answer.code, answer.reason], [401, "Unauthorized"], name);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Requests by chance: known and unknown words put together anyhow. Each is answered, none with "internal error". */
test("requests by chance", async () => {
  const random = seededRandom(20_260_301);
  const next = () => random.next();
  const pick = <T>(list: readonly T[]): T => present(list[Math.floor(next() * list.length)], "an element");
  const words = [
    "api",
    "apis",
    "v1",
    "apps",
    "namespaces",
    "default",
    "pods",
    "deployments",
    "status",
    "scale",
    "watch",
    "log",
    "x",
    "%00",
    "..",
    "__proto__",
    "",
    "é",
    "proxy",
    "a".repeat(300),
  ];
  const values = [
    "",
    "0",
    "1",
    "-1",
    "true",
    "All",
    "abc",
    "99999999999999999999",
    "a=b",
    "!a",
    "a in (b",
    "metadata.name=x",
    "%ff",
    "null",
  ];
  const options = [
    "watch",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "labelSelector",
    "fieldSelector",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "pretty",
    "sendInitialEvents",
    "gracePeriodSeconds",
    "propagationPolicy",
    "container",
    "tailLines",
  ];
  const types = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "x",
  ];
  const value = (depth: number): unknown => {
    const leaf = [1, -1.5, 1e300, "", "x", true, [], {}];
    if (next() < 0.1) return null;
    if (depth === 0 || next() < 0.3) return pick(leaf);
    if (next() < 0.3) return Array.from({ length: 3 }, () => value(depth - 1));
    const names = [
      "metadata",
      "spec",
      "name",
      "namespace",
      "labels",
      "template",
      "containers",
      "replicas",
      "selector",
      "kind",
      "data",
      "op",
      "path",
      "value",
      "__proto__",
      "$patch",
      "finalizers",
      "ownerReferences",
    ];
    return Object.fromEntries(Array.from({ length: 4 }, () => [pick(names), value(depth - 1)]));
  };
  const call = (): Call => {
    const known = [
      configMaps,
      `${configMaps}/x`,
      pods,
      `${pods}/x`,
      `${pods}/x/status`,
      "/apis/apps/v1/namespaces/default/deployments",
      "/apis/apps/v1/namespaces/default/deployments/x/scale",
    ];
    const path =
      next() < 0.6
        ? pick(known)
        : `/${Array.from({ length: 1 + Math.floor(next() * 7) }, () => pick(words)).join("/")}`;
    const query = Array.from(
      { length: Math.floor(next() * 4) },
      () => `${pick(options)}=${encodeURIComponent(pick(values))}`,
    );
    const text = JSON.stringify(value(4));
    const body = next() < 0.2 ? text.slice(0, Math.floor(next() * text.length)) : text;
    const method = pick(["GET", "POST", "PUT", "PATCH", "DELETE"]);
    return {
      method,
      path: encodeURI(`${path}?timeoutSeconds=1&${query.join("&")}`),
      headers: { "content-type": pick(types), accept: pick(["*/*", "application/json", "application/yaml", "x/y"]) },
      ...(method === "GET" ? {} : { body }),
    };
  };
  for (let batch = 0; batch < 30; batch++) {
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        const made = call();
        const answer = await admin.call(made);
        assert.doesNotMatch(answer.reason ?? "", /InternalError/, `${JSON.stringify(made)}\n${answer.text}`);
      }),
    );
  }
  await assertResponsive();
});

test("the server has lived through all of it", async () => {
  const status = JSON.parse((await bench.skiff("status", "-o", "json")).stdout);
  assert.equal(status.state, "running");
  for (const { name, restarts } of status.processes) assert.equal(restarts, 0, name);
  assert.doesNotMatch((await bench.skiff("logs", "server", "--tail", "100000")).stdout, /unexpectedly|serving failed/);
});
