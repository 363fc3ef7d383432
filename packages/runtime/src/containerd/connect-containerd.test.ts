import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { type Clock, silentLogger, sleepOn, systemClock } from "@skiff/base";
import { GrpcServer, serve } from "@skiff/grpc";
import { systemProcesses } from "@skiff/host";
import { connectContainerd } from "./connect-containerd.ts";
import { ImageService, RuntimeService } from "./generated/runtime-v1.ts";

const { signal } = new AbortController();
/** What takes a second takes 10 ms. */
const after: Clock["after"] = (delayMs, fire) => systemClock.after(delayMs / 100, fire);
const clock: Clock = { ...systemClock, after, sleep: (delayMs, until) => sleepOn({ after }, delayMs, until) };

it("a containerd that takes a call and has no time for it is asked again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-connect-"));
  const socket = join(folder, "containerd.sock");
  let asked = 0;
  const version = serve(RuntimeService.version, async () => {
    if (++asked === 1) await Promise.withResolvers<void>().promise;
    return { version: "0.1.0", runtimeName: "containerd", runtimeVersion: "v1.6.20", runtimeApiVersion: "v1" };
  });
  const status = serve(ImageService.imageStatus, async () => ({ image: { id: "sha256:1" } }));
  const server = await GrpcServer.listen(socket, [version, status]);
  try {
    const options = { socket, pipesDirectory: folder, processes: systemProcesses, cgroups: { oomKills: () => 0 } };
    const limits = { timeoutMs: 60_000, signal };
    await using _ = await connectContainerd({ ...options, clock, logger: silentLogger }, limits);
    assert.ok(asked >= 2, `asked ${asked} times`);
  } finally {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});
