import type { Pod } from "@skiff/api";

/** Annotations by which pods of the node's own folder are told from those of the API. */
export const sourceAnnotations = {
  source: "kubernetes.io/config.source",
  hash: "kubernetes.io/config.hash",
  seen: "kubernetes.io/config.seen",
  mirror: "kubernetes.io/config.mirror",
} as const;

/** The pod comes from a manifest on the node: it runs whatever the API says. */
export const isStaticPod = ({ metadata }: Pick<Pod, "metadata">): boolean => {
  const source = metadata.annotations?.[sourceAnnotations.source];
  return source !== undefined && source !== "api";
};

/** The API's picture of a static pod: shown to users, never run. */
export const isMirrorPod = ({ metadata }: Pick<Pod, "metadata">): boolean =>
  metadata.annotations?.[sourceAnnotations.mirror] !== undefined;
