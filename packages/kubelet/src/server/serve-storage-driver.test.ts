import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "@skiff/base";
import { CsiClient, controllerService } from "@skiff/csi";
import { GrpcServer, serve } from "@skiff/grpc";
import { serveStorageDriver } from "./serve-storage-driver.ts";
import { RequestFailure } from "./target.ts";

const { signal } = new AbortController();
const stack = new AsyncDisposableStack();
const path = "/csi.v1.Controller/DeleteVolume";
let server: Server;
let driver: CsiClient | undefined;

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-relay-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const deletion = serve(controllerService.deleteVolume, async ({ volumeId }) => {
    assert.equal(volumeId, "v");
    return {};
  });
  stack.use(await GrpcServer.listen(join(folder, "csi.sock"), [deletion]));
  driver = stack.use(new CsiClient(join(folder, "csi.sock"), systemClock));
  server = createServer((request, response) => {
    const asked = new URL(request.url ?? "/", "http://node");
    const given = asked.searchParams.has("none") ? undefined : driver;
    serveStorageDriver(given, request, response, { path: asked.pathname, signal }).catch((error: unknown) => {
      response.writeHead(error instanceof RequestFailure ? error.code : 500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await stack[Symbol.asyncDispose]();
});

function place(path: string): string {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}${path}`;
}

const ask = (where: string, init: RequestInit): Promise<Response> => fetch(place(where), init);

test("calls are passed on whole, one a request, and nothing else is", async () => {
  const body = new Uint8Array(controllerService.deleteVolume.request.encode({ volumeId: "v" }));
  const answer = await ask(path, { method: "POST", body });
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "application/protobuf"]);
  const unknown = await ask("/csi.v1.Controller/Nothing", { method: "POST", body });
  assert.equal(unknown.status, 500);
  assert.match(await unknown.text(), /"code":"UNIMPLEMENTED"/);
  assert.equal((await ask(path, { method: "GET" })).status, 405);
  assert.equal((await ask(`${path}?none`, { method: "POST", body })).status, 404);
  for (const headers of [{ "content-length": 5 * 1024 ** 2 }, { "transfer-encoding": "chunked" }]) {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const sent = request(place(path), { method: "POST", headers }, ({ statusCode }) => resolve(statusCode));
    sent.on("error", reject);
    sent.flushHeaders();
    assert.equal(await promise, 413, JSON.stringify(headers));
    sent.destroy();
  }
});
