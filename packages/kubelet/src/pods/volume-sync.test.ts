import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { silentLogger, systemClock, VirtualClock } from "@skiff/base";
import { createClient } from "@skiff/client";
import { MemoryApi } from "../fixtures/memory-api.ts";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { PodVolumes } from "../volumes/pod-volumes.ts";
import { VolumeAwaited, type VolumePlugin } from "../volumes/volume-plugin.ts";
import { PodFolders } from "./folders.ts";
import type { PodFailure } from "./pod-status.ts";
import { VolumeSync } from "./volume-sync.ts";

/** A pod whose volume is never attached; what is said of it after a while, and how it is judged. */
async function wait(isExhausted: boolean) {
  const root = await mkdtemp(join(tmpdir(), "skiff-sync-"));
  const clock = new VirtualClock();
  let tries = 0;
  const plugin: VolumePlugin = {
    name: "example.com/attached",
    supports: () => true,
    async setUp() {
      tries++;
      throw new VolumeAwaited("not attached");
    },
    isExhausted: async () => isExhausted,
  };
  const events: string[] = [];
  const recorder = {
    record: (_: unknown, __: unknown, one: { readonly reason: string; readonly message: string }) =>
      void events.push(`${one.reason} ${one.message}`),
  };
  const volumes = new PodVolumes({
    folders: new PodFolders({ rootFolder: root, logFolder: root }),
    mounts: undefined,
    plugins: [plugin],
    client: createClient(new MemoryApi(systemClock)),
    recorder,
    clock,
    onGone: () => {},
  });
  const pod = podOf({
    containers: [containerOf("main", { volumeMounts: [{ name: "v", mountPath: "/v" }] })],
    volumes: [{ name: "v", emptyDir: {} }],
  });
  const failures: PodFailure[] = [];
  const parts = { clock, logger: silentLogger, recorder, volumes };
  const sync = new VolumeSync(parts, pod, (failure) => failures.push(failure));
  const stop = new AbortController();
  const running = sync.run(stop.signal);
  // Each try is work on real files; time goes on when it waits for the next one.
  while (events.length === 0) {
    for (let before = tries; clock.nextDueMs() === undefined && tries === before; )
      await new Promise((resolve) => setImmediate(resolve));
    const due = clock.nextDueMs();
    if (due !== undefined) await clock.advance(due - clock.now());
    await new Promise((resolve) => setImmediate(resolve));
  }
  stop.abort();
  await running;
  await rm(root, { recursive: true, force: true });
  return { events, failures };
}

it("a pod says nothing of a volume that is being attached before its patience ends", async () => {
  const { events, failures } = await wait(false);
  assert.deepEqual(events, [
    "FailedMount Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[v], failed to process volumes=[]: context deadline exceeded",
  ]);
  assert.deepEqual(failures, []);
});

it("a pod goes elsewhere when the node can have no more volumes", async () => {
  const { events, failures } = await wait(true);
  const message =
    "Node has reached its volume attachment limit, rejecting pod. unmounted volumes=[v], unattached volumes=[v], failed to process volumes=[]: context deadline exceeded";
  assert.deepEqual(events, [`VolumeAttachmentLimitExceeded ${message}`]);
  assert.deepEqual(failures, [
    { reason: "VolumeAttachmentLimitExceeded", message: `Pod was rejected: ${message}`, rejected: true },
  ]);
});
