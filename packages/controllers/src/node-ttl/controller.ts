import { type Node, Nodes } from "@skiff/api";
import { defineController, done, type Loop } from "@skiff/control-loop";
import { nextStep, secondsOf } from "./plan.ts";

const annotation = "node.alpha.kubernetes.io/ttl";

/** Tells kubelets how long they may keep Secrets and ConfigMaps: the larger the cluster, the longer. */
export function nodeTtlController(): Loop {
  let step = 0;
  return defineController<Node>({
    name: "ttl",
    component: "ttl-controller",
    for: Nodes,
    async reconcile({ metadata }, { client, cached, signal }) {
      step = nextStep(step, cached(Nodes).list().length);
      const seconds = String(secondsOf(step));
      if (metadata.annotations?.[annotation] === seconds) return done;
      const patch = { metadata: { annotations: { [annotation]: seconds } } };
      await client.patch(Nodes, metadata, patch, { type: "strategic", signal });
      return done;
    },
  });
}
