import { Nodes, refusals } from "@skiff/api";
import type { ResourceTable } from "../contracts.ts";
import type { NodeConnector, NodeEndpoint } from "./node-connector.ts";

/** Kinds of addresses, the best to reach a kubelet by first. */
const addressKinds = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"] as const;
const preferred = ["InternalIP", "ExternalIP", ...addressKinds] as const;

/** Finds kubelets by what the status of their nodes says. `tls`: the server's client certificate and the authority. */
export function statusNodeConnector(table: ResourceTable, tls: NodeEndpoint["tls"]): NodeConnector {
  return {
    async connect(nodeName) {
      const node = await table.of(Nodes).get({ name: nodeName });
      const addresses = node.status?.addresses ?? [];
      const host = preferred
        .map((kind) => addresses.find(({ type }) => type === kind)?.address)
        .find((address) => address !== undefined);
      if (host === undefined) {
        throw refusals.internal(`no preferred addresses found; known addresses: ${JSON.stringify(addresses)}`);
      }
      const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || 10250;
      // Certificates of kubelets name the node, whatever address it is reached by.
      return { host, port, tls: { servername: nodeName, ...tls } };
    },
  };
}
