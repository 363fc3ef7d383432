import type { ConfigMap, New } from "@skiff/api";
import { ClusterError } from "../settings/cluster-error.ts";
import type { NodeSettings } from "../settings/settings.ts";

/** What a machine must know of a cluster to be a node of it. */
export type ClusterFacts = Pick<NodeSettings, "clusterCidr" | "nodeMaskSizes" | "serviceCidr" | "clusterDomain">;

/** Where they stand: machines that join may read them. */
export const factsPlace = { namespace: "kube-system", name: "skiff-config" };

/** The ConfigMap with the facts. */
export const factsMap = ({ clusterCidr, nodeMaskSizes, serviceCidr, clusterDomain }: ClusterFacts): New<ConfigMap> => ({
  metadata: factsPlace,
  data: { clusterCidr, nodeMaskSizes: nodeMaskSizes.join(), serviceCidr, clusterDomain },
});

/** The facts from their ConfigMap. Throws `ClusterError` where some are missing. */
export function factsOf({ data = {} }: ConfigMap): ClusterFacts {
  const text = (key: keyof ClusterFacts): string => {
    const value = data[key];
    if (value) return value;
    const { namespace, name } = factsPlace;
    throw new ClusterError("FACTS_MISSING", `the ConfigMap ${name} in ${namespace} of the cluster has no ${key}`);
  };
  return {
    clusterCidr: text("clusterCidr"),
    nodeMaskSizes: text("nodeMaskSizes").split(",").map(Number),
    serviceCidr: text("serviceCidr"),
    clusterDomain: text("clusterDomain"),
  };
}
