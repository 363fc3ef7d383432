import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Probe } from "@skiff/api";
import { seededRandom, systemClock } from "@skiff/base";
import { MemoryLogs, SimulatedRuntime } from "@skiff/runtime";
import { containerOf } from "../fixtures/objects.ts";
import { runProbe } from "./run-probe.ts";

const { signal } = new AbortController();
const runtime = new SimulatedRuntime({
  clock: systemClock,
  random: seededRandom(1),
  podCidr: "10.0.0.0/24",
  logs: new MemoryLogs(),
});
const web = createServer((request, response) => {
  if (request.url === "/slow") return;
  const code = Number(request.url?.slice(1));
  const to = /^\/to(\/.*)$/.exec(request.url ?? "")?.[1];
  if (to !== undefined || request.url === "/round") {
    response.writeHead(302, { location: to ?? "/round" });
    response.end();
    return;
  }
  response.writeHead(request.headers["x-probe"] === "yes" ? 200 : code, { location: "http://192.0.2.9/" });
  response.end("body");
});
const health = createHttp2Server();
health.on("stream", (stream) => {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    const serving = Buffer.concat(chunks).subarray(7).toString() === "good";
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, serving ? 1 : 2]));
  });
});

const portOf = (server: { address(): AddressInfo | string | null }): number => {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};
const listen = (server: Pick<Server, "listen">) =>
  new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));

before(() => Promise.all([listen(web), listen(health)]));
after(() => {
  web.closeAllConnections();
  web.close();
  health.close();
});

async function probe(action: Probe): Promise<string> {
  const ports = [{ name: "web", containerPort: portOf(web) }];
  const target = {
    container: containerOf("main", { ports }),
    containerId: "none",
    podIp: "127.0.0.1",
    kind: "readiness" as const,
  };
  const result = await runProbe({ timeoutSeconds: 60, ...action }, target, { runtime, clock: systemClock }, signal);
  if (result.kind === "success") return result.warning === undefined ? "success" : `warning: ${result.warning}`;
  return `${result.kind}: ${result.message}`;
}

describe("runProbe", () => {
  it("takes 200 to 399 for success, with a warning where a redirect leads away", async () => {
    const of = (path: string) => probe({ httpGet: { path, port: "web" } });
    assert.deepEqual(await Promise.all(["/200", "/204"].map(of)), Array(2).fill("success"));
    assert.deepEqual(
      await Promise.all(["/302", "/399"].map(of)),
      Array(2).fill("warning: Probe terminated redirects, Response body: body"),
    );
    assert.equal(await of("/400"), "failure: HTTP probe failed with statuscode: 400");
    assert.equal(await of("/500"), "failure: HTTP probe failed with statuscode: 500");
  });

  it("follows redirects that stay with the host", async () => {
    const of = (path: string) => probe({ httpGet: { path, port: "web" } });
    assert.equal(await of("/to/to/200"), "success");
    assert.equal(await of("/to/500"), "failure: HTTP probe failed with statuscode: 500");
    assert.match(await of("/round"), /^failure: Get ".*\/round": stopped after 10 redirects$/);
  });

  it("says what it finds where HTTPS was meant", async () => {
    assert.match(
      await probe({ httpGet: { path: "/200", port: "web", scheme: "HTTPS" } }),
      /^failure: Get ".*": http: server gave HTTP response to HTTPS client$/,
    );
  });

  it("sends headers", async () => {
    const httpHeaders = [{ name: "X-Probe", value: "yes" }];
    assert.equal(await probe({ httpGet: { path: "/500", port: portOf(web), httpHeaders } }), "success");
  });

  it("has a deadline", async () => {
    assert.match(
      await probe({ httpGet: { path: "/slow", port: portOf(web) }, timeoutSeconds: 1 }),
      /^failure: Get ".*\/slow": context deadline exceeded \(Client\.Timeout exceeded while awaiting headers\)$/,
    );
  });

  it("says what it could not reach", async () => {
    assert.match(
      await probe({ httpGet: { path: "/", port: 1 } }),
      /^failure: Get "http:\/\/127\.0\.0\.1:1\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    );
    assert.equal(await probe({ tcpSocket: { port: 1 } }), "failure: dial tcp 127.0.0.1:1: connect: connection refused");
    assert.equal(await probe({ tcpSocket: { port: "none" } }), "errored: couldn't find port: none");
    assert.equal(await probe({ tcpSocket: { port: "web" } }), "success");
  });

  it("asks gRPC services for their health", async () => {
    assert.equal(await probe({ grpc: { port: portOf(health), service: "good" } }), "success");
    assert.match(await probe({ grpc: { port: portOf(health), service: "bad" } }), /^failure: service unhealthy/);
    assert.match(await probe({ grpc: { port: 1 } }), /^failure: error: failed to connect/);
  });
});
