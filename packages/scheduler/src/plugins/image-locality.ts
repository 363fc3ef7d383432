import type { Pod } from "@skiff/api";
import { type ClusterView, definePlugin, type NodeScores } from "../framework.ts";

const mebibyte = 1024 * 1024;
/** Images smaller than this are not worth following; beyond the largest size per container, more does not count. */
const smallest = 23 * mebibyte;
const largestPerContainer = 1000 * mebibyte;

/** Prefers nodes that have the pod's images already, weighed by their size and by how many nodes have them. */
export const imageLocality = definePlugin({
  name: "ImageLocality",
  retryOn: [],
  preScore: (pod, _, cluster) => scoresOf(pod, cluster),
});

function scoresOf({ spec }: Pod, { images, nodes }: ClusterView): NodeScores | undefined {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const volumes = (spec.volumes ?? []).flatMap(({ image }) => image?.reference ?? []);
  const wanted = [...containers.map(({ image = "" }) => image), ...volumes];
  const known = wanted.flatMap((name) => images.get(normalized(name)) ?? []);
  if (known.length === 0) return undefined;
  const largest = largestPerContainer * wanted.length;
  return {
    of: ({ name }) => {
      const sum = known.reduce(
        (total, { sizeBytes, nodes: having }) =>
          having.has(name) ? total + Math.trunc(sizeBytes * (having.size / nodes.length)) : total,
        0,
      );
      const within = Math.min(Math.max(sum, smallest), largest);
      return Math.trunc((100 * (within - smallest)) / (largest - smallest));
    },
  };
}

/** Nodes report images with a tag: a name without one means `latest`. */
const normalized = (name: string): string =>
  name.lastIndexOf(":") <= name.lastIndexOf("/") && !name.includes("@") ? `${name}:latest` : name;
