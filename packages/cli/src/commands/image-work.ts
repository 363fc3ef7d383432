import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { silentLogger } from "@skiff/base";
import { ClusterError, clusterPaths, connectNodeRuntime, readHomeSettings, systemMachine } from "@skiff/cluster";
import { normalizeImageName, type Runtime } from "@skiff/runtime";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { writeJson } from "../command-line.ts";
import { formatBytes, formatTable } from "../terminal/table.ts";

/** Runs `work` on the runtime of a cluster that is up. */
async function withRuntime(
  { name, home }: GlobalOptions,
  context: CommandContext,
  work: (runtime: Runtime) => Promise<void>,
): Promise<void> {
  const paths = clusterPaths(home, name);
  const settings = await readHomeSettings(paths);
  if (settings === undefined) throw new ClusterError("NO_CLUSTER", `there is no cluster "${name}" below ${home}`);
  if (settings.runtime === "simulated") {
    throw new ClusterError("NO_IMAGES", `cluster "${name}" is simulated: it has no images, any name will do`);
  }
  const effects = { machine: systemMachine(), clock: context.clock, logger: silentLogger };
  await using runtime = await connectNodeRuntime(paths, effects, { timeoutMs: 3_000, signal: context.signal });
  await work(runtime);
}

/** Brings the images of archives to the node; `-` is standard input. Throws `ClusterError`. */
export async function loadImages(
  files: readonly string[],
  flags: GlobalOptions,
  context: CommandContext,
): Promise<void> {
  await withRuntime(flags, context, async (runtime) => {
    for (const file of files) {
      if (file !== "-")
        await access(file).catch(() => Promise.reject(new ClusterError("NO_FILE", `cannot read ${file}`)));
      const archive = file === "-" ? process.stdin : createReadStream(file);
      const names = await runtime.importImage(archive, context.signal);
      for (const name of names) context.out.write(`loaded ${name}\n`);
      if (names.length === 0) context.err.write(`${file} brought an image without a name\n`);
    }
  });
}

/** Prints the images that the node holds. Throws `ClusterError`. */
export async function listImages(flags: GlobalOptions, context: CommandContext): Promise<void> {
  await withRuntime(flags, context, async (runtime) => {
    const images = await runtime.listImages(context.signal);
    if (flags.output === "json") {
      writeJson(context, images);
      return;
    }
    const rows = images
      .flatMap(({ id, repoTags, sizeBytes }) =>
        (repoTags.length === 0 ? ["<none>"] : repoTags).map((tag) => [
          tag,
          id.replace("sha256:", "").slice(0, 12),
          formatBytes(sizeBytes),
        ]),
      )
      .sort(([a = ""], [b = ""]) => a.localeCompare(b));
    context.out.write(formatTable(["IMAGE", "ID", "SIZE"], rows));
  });
}

/** Removes images from the node. Throws `ClusterError`, also for one that is not there. */
export async function removeImages(
  names: readonly string[],
  flags: GlobalOptions,
  context: CommandContext,
): Promise<void> {
  await withRuntime(flags, context, async (runtime) => {
    for (const name of names) {
      const found = await runtime.imageStatus(name, context.signal);
      if (found === undefined) throw new ClusterError("NO_IMAGE", `the node has no image ${normalizeImageName(name)}`);
      await runtime.removeImage(name, context.signal);
      context.out.write(`removed ${name}\n`);
    }
  });
}
