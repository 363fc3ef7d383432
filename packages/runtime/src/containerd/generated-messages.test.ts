import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Timestamp } from "./generated/google-protobuf.ts";
import { LinuxContainerResources, PodSandboxConfig, VersionResponse } from "./generated/runtime-v1.ts";

describe("the codec", () => {
  it("writes what the format's documentation writes", () => {
    // Field 1, varint 150 is the encoding guide's example.
    assert.equal(Timestamp.encode({ seconds: 150 }).toString("hex"), "089601");
    assert.equal(VersionResponse.encode({ version: "testing" }).toString("hex"), "0a0774657374696e67");
  });

  it("brings nested messages, lists and maps back", () => {
    const config = {
      metadata: { name: "web", uid: "u", namespace: "default", attempt: 3 },
      labels: { app: "wéb", __proto__x: "1" },
      dnsConfig: { servers: ["10.0.0.1", ""], searches: [], options: ["ndots:5"] },
      portMappings: [{ protocol: 1, containerPort: 53, hostPort: 5353, hostIp: "" }],
    };
    const back = PodSandboxConfig.decode(PodSandboxConfig.encode(config));
    assert.deepEqual({ ...back.metadata }, config.metadata);
    assert.deepEqual({ ...back.labels }, config.labels);
    assert.deepEqual(back.dnsConfig?.servers, ["10.0.0.1", ""]);
    assert.deepEqual({ ...back.portMappings[0] }, config.portMappings[0]);
    assert.deepEqual([back.hostname, back.linux, back.annotations], ["", undefined, {}]);
  });

  for (const value of [0, 1, -1, 127, 128, 2 ** 31, 2 ** 32 + 5, -(2 ** 33), Number.MAX_SAFE_INTEGER]) {
    it(`brings ${value} back as a 64-bit integer`, () => {
      const { cpuQuota } = LinuxContainerResources.decode(LinuxContainerResources.encode({ cpuQuota: value }));
      assert.equal(cpuQuota, value);
    });
  }

  it("keeps a label called like the prototype a label", () => {
    const labels: Readonly<Record<string, string>> = JSON.parse('{"__proto__": "x"}');
    const back = PodSandboxConfig.decode(PodSandboxConfig.encode({ labels }));
    assert.equal(Object.getOwnPropertyDescriptor(back.labels, "__proto__")?.value, "x");
  });

  it("skips fields it does not know, and refuses what ends too early", () => {
    const unknown = Buffer.from("f83f01fa3f0161", "hex");
    assert.equal(VersionResponse.decode(Buffer.concat([unknown, Buffer.from("0a0178", "hex")])).version, "x");
    assert.throws(() => VersionResponse.decode(Buffer.from("0a05", "hex")), RangeError);
    assert.throws(() => VersionResponse.decode(Buffer.from("0a", "hex")), RangeError);
  });
});
