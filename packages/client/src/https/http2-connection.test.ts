import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { createServer as createNetServer } from "node:net";
import { test } from "node:test";
import { ConfigMaps, StatusError } from "@skiff/api";
import { systemClock, VirtualClock } from "@skiff/base";
import { createClient } from "../create-client.ts";
import { httpsTransport } from "./https-transport.ts";

/** A server without TLS that answers every request with `answer`, and can break its connections. */
async function plainServer(answer: () => { readonly code: number; readonly body: string }) {
  const server: Http2Server = createServer();
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream) => {
    const { code, body } = answer();
    stream.respond({ ":status": code, "content-type": "application/json" });
    stream.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    sessions,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Lets the client hear what has happened to its connection: turns of the event loop, which busy machines make long. */
async function heard(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
}

const emptyList = JSON.stringify({ metadata: { resourceVersion: "1" }, items: [] });

test("requests share a connection; a broken one is made anew; one that says goodbye is left", async () => {
  await using server = await plainServer(() => ({ code: 200, body: emptyList }));
  await using transport = httpsTransport({ endpoint: server.endpoint, clock: systemClock });
  const client = createClient(transport);
  const { signal } = new AbortController();
  const list = () => client.list(ConfigMaps, { signal });
  await Promise.all([list(), list(), list()]);
  assert.equal(server.sessions.length, 1);
  server.sessions[0]?.destroy();
  await heard();
  await list();
  assert.equal(server.sessions.length, 2);
  server.sessions[1]?.goaway();
  await heard();
  await list();
  assert.equal(server.sessions.length, 3);
});

test("each connection may go to another server", async () => {
  await using first = await plainServer(() => ({ code: 200, body: emptyList }));
  await using second = await plainServer(() => ({ code: 200, body: emptyList }));
  const places = ["http://127.0.0.1:1", first.endpoint, second.endpoint];
  await using transport = httpsTransport({ endpoint: () => places.shift() ?? "", clock: systemClock });
  const { signal } = new AbortController();
  const list = () => createClient(transport).list(ConfigMaps, { signal });
  await assert.rejects(list(), /ECONNREFUSED/);
  await list();
  first.sessions[0]?.destroy();
  await heard();
  await list();
  assert.deepEqual([first.sessions.length, second.sessions.length], [1, 1]);
});

const refusals = [
  { name: "no JSON", code: 200, body: "<html>", expected: 502 },
  { name: "an error page", code: 500, body: "broken", expected: 500 },
  { name: "a proxy without its server", code: 503, body: "", expected: 503 },
  { name: "no credentials", code: 401, body: "{}", expected: 401 },
  {
    name: "a Status",
    code: 404,
    body: JSON.stringify({ kind: "Status", reason: "NotFound", code: 404 }),
    expected: 404,
  },
];

for (const { name, code, body, expected } of refusals) {
  test(`an answer that is no object is an error with its code: ${name}`, async () => {
    await using server = await plainServer(() => ({ code, body }));
    await using transport = httpsTransport({ endpoint: server.endpoint, clock: systemClock });
    const { signal } = new AbortController();
    const listed = createClient(transport).list(ConfigMaps, { signal });
    await assert.rejects(listed, (error) => error instanceof StatusError && error.code === expected);
  });
}

test("a peer that has fallen silent is given up, and with it what waits for its answer", async () => {
  const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const asked = Promise.withResolvers<void>();
  const silent = createNetServer((socket) => {
    let bytes = 0;
    socket
      .on("error", () => {})
      .on("data", (chunk) => {
        bytes += chunk.length;
        // More than what begins a connection: the request.
        if (bytes > 100) asked.resolve();
      });
    socket.write(emptySettings);
  });
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  assert.ok(typeof address === "object" && address !== null);
  const clock = new VirtualClock();
  await using transport = httpsTransport({ endpoint: `http://127.0.0.1:${address.port}`, clock });
  const { signal } = new AbortController();
  const listed = createClient(transport).list(ConfigMaps, { signal });
  const ended = assert.rejects(
    listed,
    (error) => error instanceof StatusError && /does not answer/.test(error.message),
  );
  await asked.promise;
  await heard();
  await clock.advance(29_000);
  assert.equal(await Promise.race([ended.then(() => "given up"), Promise.resolve("waiting")]), "waiting");
  await clock.advance(1_000);
  await ended;
  silent.close();
});
