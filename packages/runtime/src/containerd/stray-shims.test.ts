import assert from "node:assert/strict";
import { it } from "node:test";
import { shimId } from "./stray-shims.ts";

const socket = "/run/x/containerd.sock";
const line = (...words: readonly string[]) => `${words.join("\0")}\0`;
const shim = ["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "abc", "-address", socket];

for (const [what, text, id] of [
  ["a shim of ours", line(...shim), "abc"],
  ["one of another containerd", line(...shim.slice(0, -1), "/run/y/containerd.sock"), undefined],
  ["one of another namespace", line(...shim.map((word) => (word === "k8s.io" ? "moby" : word))), undefined],
  ["another program", line("vi", ...shim.slice(1)), undefined],
  ["a process that has ended", "", undefined],
] as const)
  it(`knows ${what}`, () => assert.equal(shimId(text, socket), id));
