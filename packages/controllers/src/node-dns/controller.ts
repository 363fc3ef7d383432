import {
  type EndpointSlice,
  EndpointSlices,
  isNotFound,
  type New,
  type Node,
  Nodes,
  ownerReference,
  podRangeAnnotation,
} from "@skiff/api";
import { addressText, jsonEqual, parseRange } from "@skiff/base";
import { defineController, done } from "@skiff/control-loop";
import { rangesOf } from "../node-ipam/pod-ranges.ts";

const namespace = "kube-system";
const service = "kube-dns";
const ports = [
  { name: "dns", port: 53, protocol: "UDP" },
  { name: "dns-tcp", port: 53, protocol: "TCP" },
];

const sliceName = (node: string): string => `${service}-${node}`;

/** The slice of a node whose agent answers questions for names, on its own end of its pods' network. */
function sliceOf(node: Node): New<EndpointSlice> | undefined {
  const { name, annotations } = node.metadata;
  const range = rangesOf(node)
    .map(parseRange)
    .find((one) => one?.family === "IPv4");
  if (annotations?.[podRangeAnnotation] === undefined || range === undefined) return undefined;
  const address = addressText({ family: range.family, value: range.first + 1n });
  return {
    metadata: {
      name: sliceName(name),
      namespace,
      labels: { "kubernetes.io/service-name": service, "endpointslice.kubernetes.io/managed-by": "skiff" },
      ownerReferences: [ownerReference(Nodes, node)],
    },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true }, nodeName: name, hints: { forNodes: [{ name }] } }],
    ports,
  };
}

/** Tells whom to ask for names: the nodes' own agents. */
export const nodeDnsController = defineController<Node>({
  name: "node-dns",
  for: Nodes,
  watches: [
    {
      resource: EndpointSlices,
      keys: ({ metadata }) =>
        metadata.namespace === namespace && metadata.name.startsWith(`${service}-`)
          ? [{ name: metadata.name.slice(service.length + 1) }]
          : [],
    },
  ],
  async reconcile(node, { client, cached, signal }) {
    const wanted = sliceOf(node);
    if (wanted === undefined || node.metadata.deletionTimestamp !== undefined) return done;
    const found = cached(EndpointSlices).get(wanted.metadata.name ?? "", namespace);
    if (found === undefined) {
      await client.create(EndpointSlices, wanted, { signal });
      return done;
    }
    const { metadata, endpoints } = found;
    const { ownerReferences = [] } = wanted.metadata;
    if (jsonEqual(endpoints, wanted.endpoints) && jsonEqual(metadata.ownerReferences, ownerReferences)) return done;
    const changed = { ...found, metadata: { ...metadata, ownerReferences }, endpoints: wanted.endpoints };
    await client.update(EndpointSlices, changed, { signal });
    return done;
  },
  async gone({ name }, { client, cached, signal }) {
    const found = cached(EndpointSlices).get(sliceName(name), namespace);
    if (found?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"] !== "skiff") return done;
    await client.delete(EndpointSlices, found.metadata, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    return done;
  },
});
