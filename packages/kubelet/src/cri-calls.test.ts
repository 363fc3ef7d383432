/** What the kubelet asks of its runtime for a pod, word by word: compared with files, written anew by `--update`. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ContainerConfig, SandboxConfig } from "@skiff/runtime";
import { SimulatedRuntime } from "@skiff/runtime";
import { criSpecs } from "./fixtures/cri-specs.ts";
import { startSimulatedNode } from "./fixtures/simulated-node.ts";

const goldens = join(import.meta.dirname, "fixtures/goldens/cri-calls");

/** Keeps what it is asked for. */
class RecordingRuntime extends SimulatedRuntime {
  readonly calls: unknown[] = [];

  override runPodSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    this.calls.push({ runPodSandbox: config });
    return super.runPodSandbox(config, signal);
  }

  override createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    this.calls.push({ createContainer: config });
    return super.createContainer(sandboxId, config, sandbox);
  }
}

/** The calls as text in which nothing differs from run to run. */
function stable(calls: readonly unknown[], names: Readonly<Record<string, string>>): string {
  let text = JSON.stringify(calls, null, 2);
  for (const [value, name] of Object.entries(names)) text = text.replaceAll(value, name);
  // Names by chance: an image's id, the folder of one state of a volume's files.
  text = text.replaceAll(/"image": "sha256:[0-9a-f]+"/g, '"image": "IMAGE"').replaceAll(/\.\.2026_[^/"]+/g, "..STATE");
  return `${text}\n`;
}

describe("what the runtime is asked for", () => {
  for (const [name, { spec, metadata, more }] of Object.entries(criSpecs))
    it(name, async () => {
      let runtime: RecordingRuntime | undefined;
      await using test = await startSimulatedNode((options) => {
        runtime = new RecordingRuntime(options);
        return runtime;
      });
      for (const [plural, object] of more ?? []) test.node.api.put(plural, object);
      test.node.create("web", spec, { uid: "11111111-2222-3333-4444-555555555555", ...metadata });
      const { containers = [], initContainers = [] } = spec;
      const wanted = Math.max(1, containers.length) + initContainers.length;
      const made = () => (runtime?.calls.length ?? 0) === wanted + 1;
      await test.until(made, JSON.stringify(test.node.events));
      const text = stable(runtime?.calls ?? [], { [test.node.folder]: "FOLDER" });
      const file = join(goldens, `${name.replaceAll(" ", "-")}.json`);
      if (process.env.SKIFF_UPDATE !== undefined) {
        await mkdir(goldens, { recursive: true });
        await writeFile(file, text);
      }
      assert.equal(text, await readFile(file, "utf8"));
    });
});
