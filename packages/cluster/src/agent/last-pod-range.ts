import { readFile } from "node:fs/promises";
import { parseRange } from "@skiff/base";
import type { ClusterPaths } from "../settings/paths.ts";

/** The range that the node's pods had when it ran last: containerd and its network start with it at once. */
export async function readPodRange({ podRange }: Pick<ClusterPaths, "podRange">): Promise<string | undefined> {
  const text = (await readFile(podRange, "utf8").catch(() => "")).trim();
  return parseRange(text)?.family === "IPv4" ? text : undefined;
}
