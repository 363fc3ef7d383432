import { type ConfigMap, ConfigMaps, Secrets } from "@skiff/api";
import { defineController, done, watching } from "@skiff/control-loop";
import { bootstrapTokenOf } from "../bootstrap-token.ts";
import { planSignatures } from "./plan.ts";

const clusterInfo = { namespace: "kube-public", name: "cluster-info" };

/** Signs the ConfigMap `cluster-info` of kube-public with the bootstrap tokens. */
export const bootstrapSignerController = defineController<ConfigMap>({
  name: "bootstrap-signer",
  component: "bootstrap-signer",
  for: ConfigMaps,
  watches: [watching(Secrets, (secret) => (bootstrapTokenOf(secret) === undefined ? [] : [clusterInfo]))],
  async reconcile(map, { client, cached, clock, signal }) {
    const { name, namespace } = map.metadata;
    if (name !== clusterInfo.name || namespace !== clusterInfo.namespace) return done;
    const tokens = cached(Secrets)
      .list("kube-system")
      .map(bootstrapTokenOf)
      .filter((token) => token !== undefined);
    const data = planSignatures(map, tokens, clock.now());
    if (data !== undefined) await client.update(ConfigMaps, { ...map, data }, { signal });
    return done;
  },
});
