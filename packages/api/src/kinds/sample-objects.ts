/** Objects for this room's tests: valid, defaulted, new. A test changes what it is about. */
import type { Deployment } from "../generated/types/apps-v1.ts";
import type { Node, Pod, Secret, Service } from "../generated/types/core-v1.ts";
import type { NamespacedMeta } from "../object.ts";
import { Deployments, Nodes, Pods, Secrets, Services } from "./definitions.ts";

/** Metadata as the server has completed it. */
export const sampleMeta = (name: string): NamespacedMeta => ({
  name,
  namespace: "default",
  uid: "7c6a1f1e-3b0c-4f4e-9d1f-2f5f0f6a7b8c",
  resourceVersion: "",
  creationTimestamp: "2026-01-02T03:04:05Z",
});

/** A pod of one container. */
export function samplePod(change: (pod: Pod) => void = () => {}): Pod {
  const pod: Pod = { metadata: sampleMeta("web"), spec: { containers: [{ name: "web", image: "web:1" }] }, status: {} };
  change(pod);
  Pods.defaults(pod);
  return pod;
}

/** A Service on port 80 that has its address. */
export function sampleService(change: (service: Service) => void = () => {}): Service {
  const service: Service = {
    metadata: sampleMeta("web"),
    spec: { ports: [{ port: 80 }], clusterIP: "10.0.0.9", clusterIPs: ["10.0.0.9"] },
    status: {},
  };
  change(service);
  Services.defaults(service);
  return service;
}

/** A Deployment whose selector selects its pods. */
export function sampleDeployment(change: (deployment: Deployment) => void = () => {}): Deployment {
  const deployment: Deployment = {
    metadata: sampleMeta("web"),
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web:1" }] } },
    },
    status: {},
  };
  change(deployment);
  Deployments.defaults(deployment);
  return deployment;
}

/** A node without anything reported. */
export function sampleNode(change: (node: Node) => void = () => {}): Node {
  const { namespace: _namespace, ...metadata } = sampleMeta("one");
  const node: Node = { metadata, spec: {}, status: {} };
  change(node);
  Nodes.defaults(node);
  return node;
}

/** A Secret without content. */
export function sampleSecret(change: (secret: Secret) => void = () => {}): Secret {
  const secret: Secret = { metadata: sampleMeta("keys") };
  change(secret);
  Secrets.defaults(secret);
  return secret;
}
