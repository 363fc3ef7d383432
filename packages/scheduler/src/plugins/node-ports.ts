import { Nodes, Pods } from "@skiff/api";
import { definePlugin, fits, lacks } from "../framework.ts";
import { hostPortsClash } from "../pod-facts.ts";

/** A port of the node has one owner. */
export const nodePorts = definePlugin({
  name: "NodePorts",
  retryOn: [
    { resource: Nodes, change: "added" },
    { resource: Pods, change: "deleted" },
  ],
  filter: ({ facts, node }) =>
    facts.hostPorts.some((wanted) => node.hostPorts.some((taken) => hostPortsClash(wanted, taken)))
      ? lacks("node(s) didn't have free ports for the requested pod ports")
      : fits,
});
