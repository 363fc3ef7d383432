import { createReadStream, createWriteStream } from "node:fs";
import { access, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { jsonEqual, silentLogger } from "@skiff/base";
import {
  ClusterError,
  clusterPaths,
  connectNodeRuntime,
  furtherNodes,
  readHomeSettings,
  systemMachine,
} from "@skiff/cluster";
import { type ImageSummary, normalizeImageName, type Runtime } from "@skiff/runtime";
import type { CommandContext, GlobalOptions } from "../command-context.ts";
import { writeJson } from "../command-line.ts";
import { formatBytes, formatTable } from "../terminal/table.ts";

/** A node of this machine and what runs its containers. */
interface NodeRuntime {
  readonly nodeName: string;
  readonly runtime: Runtime;
}

/** Runs `work` on the runtimes of a cluster that is up: that of its node, and those of further nodes of this machine. */
async function withRuntimes(
  { name, home }: GlobalOptions,
  context: CommandContext,
  work: (nodes: readonly NodeRuntime[]) => Promise<void>,
): Promise<void> {
  const paths = clusterPaths(home, name);
  const settings = await readHomeSettings(paths);
  if (settings === undefined) throw new ClusterError("NO_CLUSTER", `there is no cluster "${name}" below ${home}`);
  if (settings.runtime === "simulated") {
    throw new ClusterError("NO_IMAGES", `cluster "${name}" is simulated: it has no images, any name will do`);
  }
  const effects = { machine: systemMachine(), clock: context.clock, logger: silentLogger };
  await using stack = new AsyncDisposableStack();
  const homes = [{ nodeName: settings.nodeName, paths }, ...furtherNodes(settings, paths)];
  const nodes: NodeRuntime[] = [];
  for (const node of homes) {
    const limits = { timeoutMs: 3_000, signal: context.signal };
    const runtime = stack.use(await connectNodeRuntime(node.paths, effects, limits));
    nodes.push({ nodeName: node.nodeName, runtime });
  }
  await work(nodes);
}

/** Brings the images of archives to all nodes; `-` is standard input. Throws `ClusterError`. */
export async function loadImages(
  files: readonly string[],
  flags: GlobalOptions,
  context: CommandContext,
): Promise<void> {
  await withRuntimes(flags, context, async (nodes) => {
    for (const file of files) {
      if (file !== "-")
        await access(file).catch(() => Promise.reject(new ClusterError("NO_FILE", `cannot read ${file}`)));
      const names = await loadImage(file, nodes, context.signal);
      for (const name of names) context.out.write(`loaded ${name}\n`);
      if (names.length === 0) context.err.write(`${file} brought an image without a name\n`);
    }
  });
}

async function loadImage(file: string, nodes: readonly NodeRuntime[], signal: AbortSignal): Promise<readonly string[]> {
  const load = async (open: () => Readable) => {
    const loads = nodes.map(({ runtime }) => runtime.importImage(open(), signal));
    const [names = []] = await Promise.all(loads);
    return names;
  };
  if (file !== "-") return load(() => createReadStream(file));
  if (nodes.length === 1) return load(() => process.stdin);
  // What comes once is wanted by each of them.
  await using folder = await mkdtempDisposable(join(tmpdir(), "skiff-image-"));
  const path = join(folder.path, "stdin.tar");
  await pipeline(process.stdin, createWriteStream(path));
  return await load(() => createReadStream(path));
}

/** Prints the images that the nodes hold. Throws `ClusterError`. */
export async function listImages(flags: GlobalOptions, context: CommandContext): Promise<void> {
  await withRuntimes(flags, context, async (nodes) => {
    const images: NodeImage[] = [];
    for (const { nodeName, runtime } of nodes) {
      for (const image of await runtime.listImages(context.signal)) {
        const known = images.findIndex((one) => one.id === image.id && jsonEqual(one.repoTags, image.repoTags));
        const before = images[known];
        if (before === undefined) images.push({ ...image, nodes: [nodeName] });
        else images[known] = { ...before, nodes: [...before.nodes, nodeName] };
      }
    }
    const isOne = nodes.length === 1;
    if (flags.output === "json") {
      writeJson(context, isOne ? images.map(({ nodes: _, ...image }) => image) : images);
      return;
    }
    const rows = images
      .flatMap(({ id, repoTags, sizeBytes, nodes: where }) =>
        (repoTags.length === 0 ? ["<none>"] : repoTags).map((tag) => [
          tag,
          id.replace("sha256:", "").slice(0, 12),
          formatBytes(sizeBytes),
          ...(isOne ? [] : [where.length === nodes.length ? "all" : where.join(",")]),
        ]),
      )
      .sort(([a = ""], [b = ""]) => a.localeCompare(b));
    context.out.write(formatTable(["IMAGE", "ID", "SIZE", ...(isOne ? [] : ["NODES"])], rows));
  });
}

type NodeImage = ImageSummary & { readonly nodes: readonly string[] };

/** Removes images from the nodes that have them. Throws `ClusterError`, also for one that none has. */
export async function removeImages(
  names: readonly string[],
  flags: GlobalOptions,
  context: CommandContext,
): Promise<void> {
  await withRuntimes(flags, context, async (nodes) => {
    for (const name of names) {
      const remove = async ({ runtime }: NodeRuntime) => {
        if ((await runtime.imageStatus(name, context.signal)) === undefined) return false;
        await runtime.removeImage(name, context.signal);
        return true;
      };
      const removed = await Promise.all(nodes.map(remove));
      if (!removed.includes(true)) {
        throw new ClusterError("NO_IMAGE", `the node has no image ${normalizeImageName(name)}`);
      }
      context.out.write(`removed ${name}\n`);
    }
  });
}
