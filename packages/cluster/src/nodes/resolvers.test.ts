import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { namesOnlyLoopback, resolvConfBy } from "./resolvers.ts";

describe("resolvers of nodes in namespaces", () => {
  for (const [text, expected] of [
    ["nameserver 127.0.0.53\noptions edns0", true],
    ["nameserver 127.0.0.1\n nameserver ::1", true],
    ["nameserver 127.0.0.1\nnameserver 192.0.2.53", false],
    ["nameserver 192.0.2.53", false],
    ["# nameserver 127.0.0.1\nsearch example.com", false],
    ["", false],
  ] as const) {
    it(`${JSON.stringify(text)}: ${expected ? "only the machine's own" : "reachable"}`, () =>
      assert.equal(namesOnlyLoopback(text), expected));
  }

  it("are exchanged; the rest stays", () => {
    const text = "nameserver 127.0.0.53\nsearch example.com\noptions edns0\n";
    assert.equal(resolvConfBy(text, "10.42.0.1"), "search example.com\noptions edns0\nnameserver 10.42.0.1\n");
  });
});
