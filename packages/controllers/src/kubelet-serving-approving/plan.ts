import { type CertificateSigningRequest, type Node, parseCertificateRequest } from "@skiff/api";
import { kubeletServingFault, kubeletServingSigner } from "../kubelet-certificates.ts";

/** Name of the node whose certificate is asked for by itself, nobody having decided about it; `undefined` for all else. */
export function askingNode({ spec, status }: CertificateSigningRequest): string | undefined {
  const decided = (status?.conditions ?? []).some(({ type }) => type === "Approved" || type === "Denied");
  if (decided || status?.certificate || spec.signerName !== kubeletServingSigner) return undefined;
  const request = parseCertificateRequest(spec.request);
  if (kubeletServingFault(request, spec.usages ?? []) !== undefined) return undefined;
  if (spec.username !== request.commonName || !spec.groups?.includes("system:nodes")) return undefined;
  return request.commonName.slice("system:node:".length);
}

/**
 * Whether a request of the node `own` names nothing but that node: each of its names and addresses is one of `own`, and of
 * no other node.
 */
export function namesOnly(own: Node, nodes: readonly Node[], { spec }: CertificateSigningRequest): boolean {
  const { dnsNames, ipAddresses } = parseCertificateRequest(spec.request);
  const addresses = addressesOf(own);
  const others = nodes.filter(({ metadata }) => metadata.name !== own.metadata.name);
  const taken = new Set(others.flatMap((node) => [node.metadata.name, ...addressesOf(node)]));
  return [...dnsNames, ...ipAddresses].every((name) => addresses.includes(name) && !taken.has(name));
}

const addressesOf = ({ status }: Node): readonly string[] => (status?.addresses ?? []).map(({ address }) => address);
