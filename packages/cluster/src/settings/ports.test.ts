import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { listeningPorts, portIsFree } from "./ports.ts";

describe("portIsFree", () => {
  it("tells of listeners on any address, and takes nothing while it looks", async () => {
    for (const host of ["127.0.0.1", "127.0.0.9", "0.0.0.0"]) {
      await using server = createServer().listen(0, host);
      await once(server, "listening");
      const address = server.address();
      assert.ok(typeof address === "object" && address !== null);
      const looks = await Promise.all(Array.from({ length: 50 }, () => portIsFree(address.port)));
      assert.deepEqual([...new Set(looks)], [false], host);
      server.close();
      await once(server, "close");
      const after = await Promise.all(Array.from({ length: 50 }, () => portIsFree(address.port)));
      assert.deepEqual([...new Set(after)], [true], host);
    }
  });
});

describe("listeningPorts", () => {
  it("reads both of the kernel's tables, without connections", () => {
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      "   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 51 1 0 100 0 0 10 0",
      "  10: 0100007F:280A 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 52 1 0 100 0 0 10 0",
      " 111: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 0 0 0 53 1 0",
    ].join("\n");
    assert.deepEqual([...listeningPorts(table)], [6443, 8080]);
  });
});
