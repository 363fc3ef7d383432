import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "node:tls";
import { testSetup } from "../fixtures/test-client.ts";

const head = "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

for (const { what, text, expected } of [
  { what: "no HTTP", text: "hello\r\n\r\n", expected: 400 },
  { what: "a header that is too long", text: `${head}a: ${"b".repeat(8_000_000)}\r\n\r\n`, expected: 431 },
  {
    what: "a body that is too long",
    text: `${head}content-length: 8000000\r\n\r\n${"x".repeat(8_000_000)}`,
    expected: 413,
  },
])
  test(`a client that sends ${what} has an answer while it sends still`, async () => {
    await using setup = await testSetup();
    for (let round = 0; round < 3; round++) {
      const socket = connect({ host: "127.0.0.1", port: setup.listener.port, ca: setup.authority.ca, ...setup.admin });
      socket.on("error", () => {});
      let received = "";
      socket.on("data", (chunk: Buffer) => {
        received += String(chunk);
      });
      const closed = once(socket, "close");
      await once(socket, "secureConnect");
      socket.write(text);
      await closed;
      assert.match(received, new RegExp(`^HTTP/1.1 ${expected} [^]*\\r\\nconnection: close\\r\\n`, "i"));
    }
  });
