import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PodSpec } from "@skiff/api";
import { SimulatedRuntime } from "@skiff/runtime";
import { startSimulatedNode } from "../fixtures/simulated-node.ts";

/** Keeps what it is asked to do with sandboxes. */
class RecordingRuntime extends SimulatedRuntime {
  readonly calls: string[] = [];
  #inside = false;

  override async stopPodSandbox(id: string): Promise<void> {
    if (!this.#inside) this.calls.push("stopPodSandbox");
    await super.stopPodSandbox(id);
  }

  override async removePodSandbox(id: string): Promise<void> {
    this.calls.push("removePodSandbox");
    this.#inside = true;
    await super.removePodSandbox(id);
    this.#inside = false;
  }
}

async function callsOfLife(spec: Partial<PodSpec>): Promise<readonly string[]> {
  let runtime: RecordingRuntime | undefined;
  await using test = await startSimulatedNode((options) => {
    runtime = new RecordingRuntime(options);
    return runtime;
  });
  test.node.create("web", spec);
  await test.until(() => test.node.pod("web")?.status.phase === "Running");
  await test.node.delete("web");
  await test.until(() => test.node.pod("web") === undefined);
  assert.deepEqual(await test.runtime.listPodSandboxes(), []);
  return runtime?.calls ?? [];
}

describe("the end of a pod that is deleted", () => {
  it("is one call for its sandbox", async () => {
    assert.deepEqual(await callsOfLife({}), ["removePodSandbox"]);
  });

  it("frees ports of the node before anybody hears that it has ended", async () => {
    const ports = [{ containerPort: 80, hostPort: 8080 }];
    const containers = [{ name: "main", image: "skiff/hello:1", ports }];
    assert.deepEqual(await callsOfLife({ containers }), ["stopPodSandbox", "removePodSandbox"]);
  });
});
