import { definePlugin, fits, lacks } from "../framework.ts";
import { hostPortsClash, podFacts } from "../pod-facts.ts";

const taken = lacks("node(s) didn't have free ports for the requested pod ports");

/** A port of the node has one owner. */
export const nodePorts = definePlugin({
  name: "NodePorts",
  retryOn: [
    { kind: "nodeAdded" },
    {
      kind: "podGone",
      helps: ({ pod, gone }) =>
        podFacts(gone).hostPorts.some((taken) =>
          podFacts(pod).hostPorts.some((wanted) => hostPortsClash(wanted, taken)),
        ),
    },
  ],
  concerns: (pod) => podFacts(pod).hostPorts.length > 0,
  filter: ({ facts, node }) =>
    facts.hostPorts.some((wanted) => node.hostPorts.some((owned) => hostPortsClash(wanted, owned))) ? taken : fits,
});
