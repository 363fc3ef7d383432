import assert from "node:assert/strict";
import { it } from "node:test";
import { SimulatedRuntime } from "@skiff/runtime";
import { defaultConfiguration } from "../config/kubelet-configuration.ts";
import type { Observations } from "../eviction/thresholds.ts";
import { startSimulatedNode } from "../fixtures/simulated-node.ts";
import { ImageUses } from "./image-uses.ts";

it("the last use of an image is the newest that was told", () => {
  const uses = new ImageUses();
  assert.deepEqual(uses.see("a", 10), { seenMs: 10, usedMs: 0 });
  uses.note("a", 30);
  // A look that began before.
  uses.note("a", 20);
  assert.deepEqual(uses.see("a", 40), { seenMs: 10, usedMs: 30 });
  assert.deepEqual(uses.note("b", 40), { seenMs: 40, usedMs: 40 });
});

it("images that are gone are forgotten, those that came since are not", () => {
  const uses = new ImageUses();
  for (const id of ["gone", "stays"]) uses.note(id, 10);
  uses.note("new", 25);
  uses.prune(new Set(["stays"]), 20);
  const again = ["gone", "stays", "new"].map((id) => uses.see(id, 50).usedMs);
  assert.deepEqual(again, [0, 10, 25]);
});

it("images of pods that came and went between two looks go in the order of their use", async () => {
  let runtime: SimulatedRuntime | undefined;
  const images = async () => (await runtime?.listImages()) ?? [];
  const disk = async (): Promise<Observations> => {
    // Room for three images of 5 MB; each that goes frees one.
    const held = (await images()).length;
    return new Map([["imagefs.available", { available: Math.max(0, 20 - 5 * held) * 1e6, capacity: 20e6 }]]);
  };
  const configuration = {
    ...defaultConfiguration,
    imageGCHighThresholdPercent: 90,
    imageGCLowThresholdPercent: 75,
    evictionHard: {},
  };
  const host = { mounts: undefined, cgroups: undefined, signals: disk };
  await using test = await startSimulatedNode(
    (options) => {
      runtime = new SimulatedRuntime({ ...options, images: [] });
      return runtime;
    },
    { host, configuration },
  );
  const { node, until, clock } = test;
  const held = async () => (await images()).flatMap(({ repoTags }) => repoTags).toSorted();
  const useOnce = async (name: string) => {
    node.create(name, { containers: [{ name: "main", image: `registry.example/${name}:1` }] });
    await until(() => node.pod(name)?.status?.phase === "Running");
    await node.delete(name, 0);
    await until(() => node.pod(name) === undefined);
    // All of it may happen in no time: uses at the same moment have no order.
    await clock.advance(1000);
  };
  // The first is used again: it is the second that goes.
  for (const name of ["one", "two", "three", "one", "four"]) await useOnce(name);
  assert.equal((await held()).length, 4, "nothing has looked so far");
  await until(async () => (await held()).length < 4, "one is collected", 600_000);
  assert.deepEqual(await held(), ["one", "four", "three"].map((name) => `registry.example/${name}:1`).toSorted());
});
