/** What the exercises stand on: a real cluster with the course's images, and manifests as files beside it. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Workbench } from "../story/workbench.ts";
import { courseImages } from "./course-images.ts";

/** Starts a cluster of that name and brings the images to its node. */
export async function courseCluster(name: string, ...options: readonly string[]): Promise<Workbench> {
  await using stack = new AsyncDisposableStack();
  const bench = stack.use(await Workbench.started(name, ...options));
  const loaded = await bench.skiff("image", "load", ...(await courseImages(bench.folder)));
  assert.equal(loaded.code, 0, loaded.stderr);
  stack.move();
  return bench;
}

/** Writes a manifest and gives its path. */
export async function manifest(bench: Workbench, name: string, text: string): Promise<string> {
  const file = join(bench.folder, name);
  await writeFile(file, text);
  return file;
}
