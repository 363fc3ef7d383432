import assert from "node:assert/strict";
import { test } from "node:test";
import { GrpcStatus } from "@skiff/grpc";
import { DriverFixture, writer } from "./hostpath/fixture.ts";
import { callRelay, controllerFolder, type RelayAnswer, relayCall } from "./relay.ts";
import { controllerService } from "./services.ts";

test("calls reach a driver through a relay, and its refusals come back as they are", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, signal } = driver;
  const paths: string[] = [];
  const send = (path: string, message: Buffer) => {
    paths.push(path);
    return relayCall(client, { path, message }, signal);
  };
  const request = { name: "pvc-1", volumeCapabilities: [writer], parameters: { a: "b" } };
  const made = await callRelay(controllerService.createVolume, request, send);
  assert.deepEqual([made.volume?.volumeId, made.volume?.volumeContext], ["pvc-1", { a: "b" }]);
  assert.deepEqual(await client.call(controllerService.createVolume, request, signal), made);
  assert.deepEqual(paths, [`/${controllerFolder}/CreateVolume`]);

  const refused = { sourceVolumeId: "none", name: "s" };
  const direct = await client.call(controllerService.createSnapshot, refused, signal).catch((error: unknown) => error);
  assert.ok(direct instanceof GrpcStatus);
  assert.equal(direct.code, "NOT_FOUND");
  await assert.rejects(callRelay(controllerService.createSnapshot, refused, send), (error: unknown) => {
    assert.ok(error instanceof GrpcStatus);
    assert.deepEqual([error.code, error.message], [direct.code, direct.message]);
    return true;
  });
});

test("what is no relay's answer is no driver's word", async () => {
  const answers: readonly (readonly [RelayAnswer, RegExp])[] = [
    [
      { code: 404, type: "text/plain", body: Buffer.from("404 page not found") },
      /the node answered with 404: 404 page/,
    ],
    [{ code: 200, type: "text/html", body: Buffer.from("hello") }, /answered with 200/],
  ];
  for (const [answer, expected] of answers) {
    const call = callRelay(controllerService.deleteVolume, { volumeId: "v" }, async () => answer);
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof GrpcStatus && error.code === "UNAVAILABLE");
      assert.match(error.message, expected);
      return true;
    });
  }
});
