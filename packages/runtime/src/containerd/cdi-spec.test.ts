import assert from "node:assert/strict";
import { test } from "node:test";
import { findEdits } from "./cdi-spec.ts";
import { injectsCdiDevices } from "./create-container.ts";

const spec = (kind: string, devices: readonly string[], more: object = {}) => ({
  kind,
  devices: devices.map((name) => ({ name, containerEdits: { env: [`DEVICE=${name}`], ...more } })),
  containerEdits: { env: [`KIND=${kind}`] },
});

test("what all devices of a kind need is given once", () => {
  const edits = findEdits([spec("a.com/x", ["0", "1"])], ["a.com/x=0", "a.com/x=1"]);
  assert.deepEqual(
    edits.flatMap(({ env }) => env),
    ["KIND=a.com/x", "DEVICE=0", "DEVICE=1"],
  );
});

test("later specifications outdo earlier ones", () => {
  const later = { ...spec("a.com/x", ["0"]), containerEdits: { env: ["KIND=later"] } };
  assert.deepEqual(findEdits([spec("a.com/x", ["0"]), later], ["a.com/x=0"])[0]?.env, ["KIND=later"]);
});

test("devices that nobody describes, and edits that only newer runtimes can make, are refused", () => {
  assert.throws(() => findEdits([], ["a.com/x=0"]), /unresolvable CDI devices a\.com\/x=0/);
  const hooked = spec("a.com/x", ["0"], { hooks: [{ hookName: "createContainer", path: "/bin/true" }] });
  assert.throws(() => findEdits([hooked], ["a.com/x=0"]), /has hooks, which needs containerd 1\.7 or newer/);
});

test("containerd gives devices itself from 1.7 on", () => {
  assert.deepEqual(["1.6.20", "1.7.0", "2.1.3", "v1"].map(injectsCdiDevices), [false, true, true, false]);
});
