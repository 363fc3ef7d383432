/** Nodes without machines: they report themselves and move their pods through life by script, as a kubelet would tell it. */
export { annotatedScript } from "./annotated-script.ts";
export { type PodScript, type PodScripts, usualScript } from "./pod-script.ts";
export { simulatedAddresses } from "./simulated-addresses.ts";
export type { SimulatedNode, SimulatedNodeSpec } from "./simulated-node.ts";
export { removeNodes, SimulatedNodes, type SimulatedNodesOptions } from "./simulated-nodes.ts";
export { annotatedLoad, type ContainerLoad, type PodLoads } from "./simulated-usage.ts";
