import assert from "node:assert/strict";
import { test } from "node:test";
import type { Segments } from "@skiff/controllers";
import { controllerService } from "@skiff/csi";
import { type ControllerCalls, csiStorageDriver } from "./csi-storage-driver.ts";

const { signal } = new AbortController();
const home = { node: "one" };
const second = { node: "two" };

/** Drivers that answer every call alike, and a list of where which call went. */
function nodes() {
  const asked: string[] = [];
  const driverAt = ({ node }: Segments): ControllerCalls => ({
    async call(method) {
      asked.push(`${method.path.slice("/csi.v1.Controller/".length)} ${node}`);
      // Volumes are told to be elsewhere.
      const volume = { volumeId: "v", accessibleTopology: [{ segments: { node: "three" } }] };
      const { createVolume, getCapacity } = controllerService;
      if (method.path === createVolume.path) return method.response.decode(createVolume.response.encode({ volume }));
      const room = method.path === getCapacity.path ? { availableCapacity: 5 } : {};
      return method.response.decode(getCapacity.response.encode(room));
    },
  });
  const staysHome = ({ shared }: Readonly<Record<string, string>>) => shared === "true";
  return { asked, driver: csiStorageDriver({ name: "x", home, driverAt, staysHome }) };
}

const wanted = (parameters: Readonly<Record<string, string>>, ...places: readonly Segments[]) => ({
  name: "v",
  sizeBytes: 1,
  mode: "Filesystem" as const,
  mountOptions: [],
  accessModes: ["ReadWriteOnce"],
  parameters,
  mutableParameters: {},
  secrets: {},
  places,
});

test("each call goes to the node that has the volume, by default to the server's own", async () => {
  const { asked, driver } = nodes();
  const known = { volumeId: "v", secrets: {}, at: second };
  await driver.deleteVolume(known, signal);
  await driver.deleteVolume({ ...known, at: undefined }, signal);
  await driver.expandVolume({ ...known, sizeBytes: 2 }, signal);
  await driver.modifyVolume({ ...known, parameters: {} }, signal);
  await driver.deleteSnapshot({ snapshotId: "s", at: second }, signal);
  assert.equal(await driver.findSnapshot({ snapshotId: "s", at: second }, signal), undefined);
  assert.deepEqual(asked, [
    "DeleteVolume two",
    "DeleteVolume one",
    "ControllerExpandVolume two",
    "ControllerModifyVolume two",
    "DeleteSnapshot two",
    "ListSnapshots two",
  ]);
});

test("a volume is where it was asked for, whatever the node says", async () => {
  const { asked, driver } = nodes();
  for (const [places, expected] of [
    [[second, home], second],
    [[], home],
  ] as const) {
    const outcome = await driver.createVolume(wanted({}, ...places), signal);
    assert.ok(outcome.kind === "created");
    assert.deepEqual(outcome.volume.topology, [expected]);
  }
  assert.deepEqual(asked, ["CreateVolume two", "CreateVolume one"]);
});

test("volumes that pods share stay at home", async () => {
  const { asked, driver } = nodes();
  const shared = { shared: "true" };
  const spread = await driver.createVolume(wanted(shared, second, home), signal);
  assert.ok(spread.kind === "created");
  assert.deepEqual(spread.volume.topology, [home]);
  assert.equal((await driver.createVolume(wanted(shared, second), signal)).kind, "exhausted");
  const room = (parameters: Readonly<Record<string, string>>, segments: Segments) =>
    driver.capacity({ parameters, segments }, signal);
  assert.deepEqual([await room(shared, second), await room(shared, home), await room({}, second)], [0, 5, 5]);
  assert.deepEqual(asked, ["CreateVolume one", "GetCapacity one", "GetCapacity two"]);
});
