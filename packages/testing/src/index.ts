/** A cluster for tests: in this process, on virtual time, from a seed. Made to test operators with, Skiff's own first. */
export type { Faults } from "./faulty-transport.ts";
export { type PodScript, type PodScripts, usualScript } from "./pod-script.ts";
export type { SimulatedNode } from "./simulated-node.ts";
export { annotatedLoad, type ContainerLoad, type PodLoads } from "./simulated-usage.ts";
export { TestCluster, type TestClusterAddress, type TestClusterOptions } from "./test-cluster.ts";
