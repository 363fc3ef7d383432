import { isNotFound, type Node, Nodes, type ObjectRef } from "@skiff/api";
import { defineController, done, type Loop } from "@skiff/control-loop";
import { type PodRangeSettings, PodRanges, rangesOf } from "./pod-ranges.ts";

/**
 * Gives each node a range of addresses for its pods, and the range of a node that has gone to another.
 * https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
 */
export function nodeIpamController(settings: PodRangeSettings): Loop {
  const ranges = new PodRanges(settings);
  /** Nodes that got none. */
  const waiting = new Map<string, ObjectRef>();
  return defineController<Node>({
    name: "node-ipam",
    component: "cidrAllocator",
    for: Nodes,
    // What nodes have is known the moment that the cache knows, and all of it before anything is given away.
    listen: ({ informers }, wake) =>
      informers.for(Nodes).onChange(({ kind, object }) => {
        if (kind !== "deleted") return ranges.see(object);
        ranges.forget(object.metadata.name);
        for (const ref of waiting.values()) wake(ref);
      }),
    async reconcile(node, { client, recorder, signal }) {
      const { name, uid } = node.metadata;
      if (node.metadata.deletionTimestamp !== undefined || rangesOf(node).length > 0) {
        waiting.delete(name);
        return done;
      }
      const podCIDRs = ranges.give(node);
      if (podCIDRs === undefined) {
        waiting.set(name, { name });
        const message = `Node ${name} status is now: CIDRNotAvailable`;
        recorder.record(Nodes, node, { type: "Normal", reason: "CIDRNotAvailable", message });
        return done;
      }
      waiting.delete(name);
      const patch = { metadata: { uid }, spec: { podCIDR: podCIDRs[0], podCIDRs } };
      await client.patch(Nodes, { name }, patch, { type: "merge", signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      return done;
    },
    async gone({ name }) {
      waiting.delete(name);
      return done;
    },
  });
}
