import type { SecureContextOptions } from "node:tls";

/** Where a node's own server is and how to speak to it. */
export interface NodeEndpoint {
  readonly host: string;
  readonly port: number;
  /** Certificate and key that the API server shows, and the authority that it trusts. */
  readonly tls: SecureContextOptions & { readonly rejectUnauthorized?: boolean; readonly servername?: string };
}

/** Finds the server of a node (the kubelet's, port 10250). Throws `StatusError` when the node is unknown or has no address. */
export interface NodeConnector {
  connect(nodeName: string): Promise<NodeEndpoint>;
}
