import { type NodeConnector, type ResourceTable, statusNodeConnector } from "@skiff/apiserver";
import type { Pki } from "../pki/pki.ts";

/** How this server speaks to the nodes of its cluster: as the API server that their kubelets know. */
export const kubeletConnector = (table: ResourceTable, pki: Pki): NodeConnector =>
  statusNodeConnector(table, {
    ca: pki.authority,
    cert: pki.apiServerKubeletClient.certificate,
    key: pki.apiServerKubeletClient.key,
  });
