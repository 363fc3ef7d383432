import { isAlreadyExists, type Node, Nodes, podRangeAnnotation } from "@skiff/api";
import { type Clock, describeError, isAbort, type Logger, parseRange } from "@skiff/base";
import type { Client, Informer } from "@skiff/client";
import { writeFileAtomic } from "@skiff/host";
import type { ClusterPaths } from "../settings/paths.ts";
import type { NodeSettings } from "../settings/settings.ts";
import { readPodRange } from "./last-pod-range.ts";

const retryMs = 100;

/**
 * The range of addresses for this node's pods. A new node registers itself and waits for the cluster to give it one; what it
 * has once been given it keeps, written down, for as long as its Node object says the same.
 */
export async function nodePodRange(
  { settings, paths }: { readonly settings: NodeSettings; readonly paths: ClusterPaths },
  effects: { readonly client: Client; readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<string> {
  const known = await readPodRange(paths);
  if (known !== undefined) return known;
  const { client, clock, logger } = effects;
  for (let told = false; ; ) {
    try {
      const range = await askForRange(settings, client, signal);
      if (range === undefined) continue;
      await writeFileAtomic(paths.podRange, `${range}\n`, { mode: 0o644 });
      return range;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      // The server starts beside this process: that it does not answer yet is nothing to tell.
      if (told) logger.debug(`no range for pods yet: ${describeError(error)}`);
      told = true;
      await clock.sleep(retryMs, signal);
    }
  }
}

/** Registers the node, and so asks for a range for its pods. Fine where it is registered. */
export async function registerNode(
  { nodeName: name, podCidr, runtime }: NodeSettings,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  const annotations = {
    "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    // Where pods have no network, one range is as good as another.
    ...(runtime === "containerd" ? { [podRangeAnnotation]: podCidr } : {}),
  };
  await client.create(Nodes, { metadata: { name, annotations }, spec: {} }, { signal }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

async function askForRange(settings: NodeSettings, client: Client, signal: AbortSignal): Promise<string | undefined> {
  await registerNode(settings, client, signal);
  const options = { fieldSelector: `metadata.name=${settings.nodeName}`, signal };
  for await (const event of client.watch(Nodes, options)) {
    const range = event.type === "ADDED" || event.type === "MODIFIED" ? rangeOf(event.object) : undefined;
    if (range !== undefined) return range;
  }
  return undefined;
}

const rangeOf = ({ spec }: Node): string | undefined =>
  (spec.podCIDRs ?? []).find((range) => parseRange(range)?.family === "IPv4");

/** Resolves when the node was given another range than the one that it works with: after it was deleted and came again. */
export function rangeChanges(
  informer: Informer<Node>,
  { nodeName, range }: { readonly nodeName: string; readonly range: string },
): { readonly changed: Promise<string> } & Disposable {
  const { promise, resolve } = Promise.withResolvers<string>();
  const subscription = informer.onChange(({ kind, object }) => {
    const now = kind !== "deleted" && object.metadata.name === nodeName ? rangeOf(object) : undefined;
    if (now !== undefined && now !== range) resolve(now);
  });
  return { changed: promise, [Symbol.dispose]: () => subscription[Symbol.dispose]() };
}

/** Writes down the range that the node works with from its next start on. */
export const keepPodRange = ({ podRange }: Pick<ClusterPaths, "podRange">, range: string): Promise<void> =>
  writeFileAtomic(podRange, `${range}\n`, { mode: 0o644 });
