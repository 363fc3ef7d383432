import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { EndpointSlices, type Pod, Pods, Services } from "@skiff/api";
import { seededRandom } from "@skiff/base";
import type { Handler, RequestInfo, SubresourceHandler } from "../contracts.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { portOf, serveExchanges } from "../fixtures/http-exchange.ts";
import { alice, namespacedMeta } from "../fixtures/objects.ts";
import { selfSigned } from "../fixtures/self-signed.ts";
import type { NodeConnector } from "./node-connector.ts";
import { podLog } from "./pod-log.ts";
import { podStreams } from "./pod-streams.ts";
import { proxies } from "./proxies.ts";

const pod = (name: string, containers: readonly string[], rest: object = {}): Pod => ({
  metadata: namespacedMeta(name),
  spec: { nodeName: "n1", containers: containers.map((container) => ({ name: container })), ...rest },
  status: { podIP: "127.0.0.1" },
});

const certificate = await selfSigned("n1");

const connector = (port: number): NodeConnector => ({
  connect: async () => ({
    host: "127.0.0.1",
    port,
    tls: { ...certificate, ca: certificate.cert, servername: "n1" },
  }),
});

/** A kubelet's server that wants to see the API server's certificate. */
async function kubelet(serve: (socket: TLSSocket) => void): Promise<{ readonly port: number } & AsyncDisposable> {
  const options = { ...certificate, ca: certificate.cert, requestCert: true, rejectUnauthorized: true };
  const server = createTlsServer({ ...options, allowHalfOpen: true }, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: portOf(server), [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Answers as the server's routing would: the place is read from the path. */
function routed(
  handlers: ReadonlyMap<string, SubresourceHandler>,
): (path: string) => { handle: Handler; request: RequestInfo } {
  return (path) => {
    const [, , version = "", , namespace = "", plural = "", name = "", subresource = ""] = path.split("/");
    const handler = handlers.get(`${plural}/${subresource}`);
    assert(handler !== undefined, `no handler for ${plural}/${subresource}`);
    const request: RequestInfo = {
      kind: "resource",
      verb: "get",
      group: "",
      version,
      plural,
      namespace,
      name,
      subresource,
    };
    return { handle: handler.handle, request };
  };
}

const table = (port: number) =>
  fakeTable([
    [
      Pods,
      [
        pod("web", ["a"]),
        pod("two", ["a", "b"]),
        pod("init", ["a", "b"], { initContainers: [{ name: "i" }] }),
        pod("waiting", ["a"], { nodeName: "" }),
      ],
    ],
    [
      Services,
      [
        { metadata: namespacedMeta("svc"), spec: { ports: [{ name: "http", port: 80 }] } },
        { metadata: namespacedMeta("empty"), spec: { ports: [{ port: 80 }] } },
      ],
    ],
    [
      EndpointSlices,
      [
        {
          metadata: { ...namespacedMeta("svc-1"), labels: { "kubernetes.io/service-name": "svc" } },
          addressType: "IPv4",
          endpoints: [
            { addresses: ["127.0.0.1"], conditions: { ready: true } },
            { addresses: ["127.0.0.9"], conditions: { ready: false } },
          ],
          ports: [{ name: "http", port }],
        },
      ],
    ],
  ]);

async function apiServer(nodePort: number, backendPort = nodePort) {
  const objects = table(backendPort);
  const nodes = connector(nodePort);
  const route = routed(
    new Map([
      ...podStreams(objects, nodes),
      ...proxies(objects, nodes, seededRandom(1)),
      ["pods/log", podLog(objects, nodes)],
    ]),
  );
  return serveExchanges(async (exchange) => {
    const { handle, request } = route(exchange.path);
    await handle(exchange, request, alice);
  });
}

const upgradeHead = (path: string, protocol: string) =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n` +
  "x-stream-protocol-version: v5.channel.k8s.io\r\nx-stream-protocol-version: v4.channel.k8s.io\r\n\r\n";

/** Sends `head`, then `rest` once an answer came; half-closes; gives all that came back. */
async function converse(port: number, head: string, rest?: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.write(head);
  let received = "";
  for await (const chunk of socket) {
    received += String(chunk);
    if (rest !== undefined && received.endsWith("\r\n\r\n")) socket.end(rest);
  }
  socket.destroy();
  return received;
}

test("an upgrade is passed on whole, and each direction ends on its own", async () => {
  let seen = "";
  await using node = await kubelet((socket) => {
    let input = "";
    let upgraded = false;
    socket.on("data", (chunk: Buffer) => {
      if (upgraded) {
        input += String(chunk);
        return;
      }
      seen += String(chunk);
      upgraded = seen.includes("\r\n\r\n");
      if (upgraded)
        socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n");
    });
    // Answers only once the client has ended its direction: without half-close this never comes.
    socket.on("end", () => socket.end(`${input.length} bytes`));
  });
  await using api = await apiServer(node.port);
  const path = "/api/v1/namespaces/default/pods/web/exec?command=wc&command=-c&stdin=true&stdout=true&stderr=false";
  const answer = await converse(api.port, upgradeHead(path, "SPDY/3.1"), "x".repeat(300_000));
  assert.equal(answer.split("\r\n\r\n")[1], "300000 bytes");
  assert.match(seen, /^POST \/exec\/default\/web\/a\?input=1&output=1&command=wc&command=-c HTTP\/1\.1\r\n/);
  assert.match(seen, /x-stream-protocol-version: v5\.channel\.k8s\.io\r\nx-stream-protocol-version: v4/);
  assert.doesNotMatch(seen, /authorization/i);
});

test("connections that do not come about are answered with a Status's code", async () => {
  const gone = await kubelet(() => {});
  await gone[Symbol.asyncDispose]();
  await using api = await apiServer(gone.port);
  const at = (rest: string) => `/api/v1/namespaces/default/pods/${rest}`;
  const exec = "exec?command=id&stdout=true";
  const cases: readonly (readonly [string, RegExp])[] = [
    [at(`web/${exec}`), /^HTTP\/1\.1 500 .*error dialing backend: dial tcp 127\.0\.0\.1:\d+: connect ECONNREFUSED/s],
    [at(`two/${exec}`), /400 .*a container name must be specified for pod two, choose one of: \[a b\]$/s],
    [at(`init/${exec}`), /choose one of: \[a b\] or one of the init containers: \[i\]$/s],
    [at(`two/${exec}&container=c`), /400 .*container c is not valid for pod two$/s],
    [at(`waiting/${exec}`), /400 .*pod waiting does not have a host assigned$/s],
    [at(`gone/${exec}`), /404 .*pods "gone" not found$/s],
    [at("web/exec?stdout=true"), /400 .*you must specify at least 1 command$/s],
  ];
  for (const [path, expected] of cases) assert.match(await converse(api.port, upgradeHead(path, "SPDY/3.1")), expected);
  const plain = await fetch(`http://127.0.0.1:${api.port}${at(`web/${exec}`)}`);
  assert.match(await plain.text(), /Upgrade request required/);
});

test("logs", async () => {
  await using node = await kubelet((socket) => {
    socket.once("data", (chunk: Buffer) => {
      const [line = ""] = String(chunk).split("\r\n");
      const waiting = line.includes("previous=true");
      const body = waiting ? 'previous terminated container "a" in pod "web" not found' : `${line}\n`;
      const status = waiting ? "400 Bad Request" : "200 OK";
      socket.end(
        `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    });
  });
  await using api = await apiServer(node.port);
  const ask = async (name: string, query: string) => {
    const answer = await fetch(`http://127.0.0.1:${api.port}/api/v1/namespaces/default/pods/${name}/log?${query}`);
    return `${answer.status} ${await answer.text()}`;
  };
  const cases: readonly (readonly [string, string, string | RegExp])[] = [
    [
      "web",
      "follow=true&tailLines=5&unknown=1",
      "200 GET /containerLogs/default/web/a?follow=true&tailLines=5 HTTP/1.1\n",
    ],
    ["two", "container=b", "200 GET /containerLogs/default/two/b HTTP/1.1\n"],
    ["waiting", "", "200 "],
    ["web", "previous=true", /^400 .*previous terminated container "a" in pod "web" not found$/],
    [
      "web",
      "sinceTime=2026-01-02T05:04:05.6%2B02:00",
      "200 GET /containerLogs/default/web/a?sinceTime=2026-01-02T03%3A04%3A05Z HTTP/1.1\n",
    ],
    ["web", "sinceTime=noon", /^400 .*cannot parse "noon" as "2006"$/],
    ["web", "tailLines=-1", /^422 .*tailLines: Invalid value: -1: must be greater than or equal to 0$/],
  ];
  for (const [name, query, expected] of cases) {
    const got = await ask(name, query);
    if (typeof expected === "string") assert.equal(got, expected);
    else assert.match(got, expected);
  }
});

test("proxies", async () => {
  const backend = createHttpServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    if (incoming.url === "/moved") response.writeHead(302, { location: "/elsewhere" }).end();
    else
      response.end(
        `${incoming.method} ${incoming.url} ${Buffer.concat(chunks)} ${incoming.headers.authorization ?? "-"}`,
      );
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const port = portOf(backend);
  await using api = await apiServer(1, port);
  const base = `http://127.0.0.1:${api.port}/api/v1/namespaces/default`;
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: "Bearer secret" };
    const answer = await fetch(`${base}/${path}`, { redirect: "manual", headers, ...init });
    return `${answer.status} ${answer.headers.get("location") ?? (await answer.text())}`;
  };
  const cases: readonly (readonly [string, RequestInit, string])[] = [
    [`pods/web:${port}/proxy/a%2Fb/c?d=e`, {}, "200 GET /a%2Fb/c?d=e  -"],
    [`pods/http:web:${port}/proxy/`, { method: "POST", body: "hello" }, "200 POST / hello -"],
    ["services/svc:http/proxy/x", { method: "PUT", body: "hello" }, "200 PUT /x hello -"],
    ["services/svc:80/proxy/x", { method: "DELETE" }, "200 DELETE /x  -"],
    ["services/svc/proxy/moved", {}, "302 /api/v1/namespaces/default/services/svc/proxy/elsewhere"],
    ["services/svc/proxy?q=1", {}, "301 /api/v1/namespaces/default/services/svc/proxy/?q=1"],
    ["services/empty/proxy/", {}, '503 StatusError: no endpoints available for service "empty"'],
    ["services/svc:nope/proxy/", {}, '503 StatusError: no service port "nope" found for service "svc"'],
  ];
  for (const [path, init, expected] of cases) assert.equal(await ask(path, init), expected, path);
  backend.closeAllConnections();
  await new Promise((resolve) => backend.close(resolve));
});
