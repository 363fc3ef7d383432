import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import { testSetup } from "../fixtures/test-client.ts";

const path = "/api/v1/namespaces/default/configmaps";

test("a watch over a WebSocket: an event a message, in the encoding that was asked for", async () => {
  await using setup = await testSetup();
  const { place, call } = setup;
  const open = async (accept: string) => {
    const url = `wss://127.0.0.1:${setup.listener.port}${path}?watch=1`;
    const socket = new WebSocket(url, { ...place, headers: { accept } });
    const messages: { readonly data: Buffer; readonly isBinary: boolean }[] = [];
    socket.on("message", (data: Buffer, isBinary: boolean) => messages.push({ data, isBinary }));
    await once(socket, "open");
    return { socket, messages };
  };
  const json = await open("application/json");
  const protobuf = await open("application/vnd.kubernetes.protobuf;stream=watch");
  for (const name of ["a", "b"]) {
    const made = await call(path, { method: "POST", body: { metadata: { name }, data: { text: "one\ntwo" } } });
    assert.equal(made.status, 201);
  }
  for (const { socket, messages } of [json, protobuf]) while (messages.length < 2) await once(socket, "message");
  const events = json.messages.map(({ data }) => JSON.parse(data.toString()));
  assert.deepEqual(
    events.map(({ type, object }) => [type, object.metadata.name]),
    [
      ["ADDED", "a"],
      ["ADDED", "b"],
    ],
  );
  assert.ok(json.messages.every(({ isBinary }) => !isBinary));
  assert.ok(protobuf.messages.every(({ isBinary, data }) => isBinary && data.includes("ADDED")));
  for (const { socket } of [json, protobuf]) {
    const closed = once(socket, "close");
    socket.close();
    await closed;
  }
});
