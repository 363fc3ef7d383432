import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Clock, silentLogger, systemClock } from "@skiff/base";
import { registrationService } from "@skiff/csi";
import { GrpcServer, serve } from "@skiff/grpc";
import { type PluginHandler, PluginRegistry } from "./plugin-registry.ts";

/** A plugin that asks to be taken in; what it is told is kept. */
async function startPlugin(folder: string, name: string, supportedVersions: readonly string[]) {
  const told = Promise.withResolvers<string>();
  const server = await GrpcServer.listen(join(folder, `${name}-reg.sock`), [
    serve(registrationService.getInfo, async () => ({ type: "DRAPlugin", name, endpoint: "", supportedVersions })),
    serve(registrationService.notifyRegistrationStatus, async ({ pluginRegistered, error }) => {
      told.resolve(pluginRegistered ? "registered" : error);
      return {};
    }),
  ]);
  return { told: told.promise, server };
}

test("plugins are taken in by those that know their type, are told so, and go with their sockets", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-plugins-"));
  const gone = Promise.withResolvers<string>();
  const endpoints: string[] = [];
  const handler: PluginHandler = {
    type: "DRAPlugin",
    refusal: ({ supportedVersions }) => (supportedVersions.includes("v1") ? undefined : "too old"),
    register: async ({ endpoint }) => {
      endpoints.push(endpoint);
    },
    forget: async ({ name }) => gone.resolve(name),
  };
  {
    await using _ = new PluginRegistry({ folder, handlers: [handler], clock: systemClock, logger: silentLogger });
    const good = await startPlugin(folder, "good", ["v1"]);
    const old = await startPlugin(folder, "old", ["v0"]);
    assert.deepEqual(await Promise.all([good.told, old.told]), ["registered", "too old"]);
    assert.deepEqual(endpoints, [join(folder, "good-reg.sock")]);
    await good.server[Symbol.asyncDispose]();
    assert.equal(await gone.promise, "good");
    await old.server[Symbol.asyncDispose]();
  }
  await rm(folder, { recursive: true });
});

test("a plugin that is not taken in is tried again ever more seldom, and told of once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-plugins-"));
  const waits: number[] = [];
  const enough = Promise.withResolvers<void>();
  // What is waited for has passed at once; calls of the plugin have real time. 100 ms is for a socket to be listened on.
  const clock: Clock = {
    ...systemClock,
    async sleep(delayMs, signal) {
      if (delayMs > 100) waits.push(delayMs);
      if (waits.length <= 10) return;
      enough.resolve();
      await systemClock.sleep(3_600_000, signal);
    },
  };
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  let attempts = 0;
  const handler: PluginHandler = {
    type: "DRAPlugin",
    refusal: () => undefined,
    register: async () => {
      attempts++;
      throw new Error("no room");
    },
    forget: async () => {},
  };
  {
    const plugin = await startPlugin(folder, "poor", ["v1"]);
    await using _ = new PluginRegistry({ folder, handlers: [handler], clock, logger });
    assert.match(await plugin.told, /no room/);
    await enough.promise;
    assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 120_000, 120_000, 120_000]);
    assert.equal(attempts, 11);
    assert.deepEqual(warnings, ["the plugin at poor-reg.sock cannot be registered: no room"]);
    await plugin.server[Symbol.asyncDispose]();
  }
  await rm(folder, { recursive: true });
});
