/** A cluster for tests: in this process, on virtual time, from a seed. Made to test operators with, Skiff's own first. */
export {
  annotatedLoad,
  annotatedScript,
  type ContainerLoad,
  type PodLoads,
  type PodScript,
  type PodScripts,
  type SimulatedNode,
  usualScript,
} from "@skiff/simulation";
export type { Component } from "./components.ts";
export type { Faults } from "./faulty-transport.ts";
export { TestCluster, type TestClusterAddress, type TestClusterOptions } from "./test-cluster.ts";
