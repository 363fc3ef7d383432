import { Pods } from "@skiff/api";
import { definePlugin } from "../framework.ts";

/** Binds pods by the subresource that is there for it. */
export const defaultBinder = definePlugin({
  name: "DefaultBinder",
  retryOn: [],
  async bind(pod, node, { client, signal }) {
    const { name, namespace, uid } = pod.metadata;
    const target = { kind: "Node", name: node.name };
    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace, uid }, target };
    await client.createSubresource(Pods, { name, namespace }, "binding", binding, { signal });
  },
});
