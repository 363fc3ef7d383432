import { type CertificateSigningRequest, CertificateSigningRequests, Nodes } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { Client } from "@skiff/client";
import type { KeyPair } from "../pki/pki.ts";
import { ClusterError } from "../settings/cluster-error.ts";
import type { NodeSettings } from "../settings/settings.ts";

type Asking = Pick<NodeSettings, "nodeName" | "nodeIp">;

interface Effects {
  readonly client: Client;
  readonly clock: Clock;
  /** Hears the name of a request that nobody has decided about for a while. */
  readonly onWaiting: (name: string) => void;
}

/** So long people may take who approve requests by hand. */
const deadlineMs = 300_000;
const patienceMs = 5_000;

/** A certificate by which the node is known to the API server, asked for by whoever `client` is. */
export const clientCertificate = ({ nodeName }: Asking, effects: Effects, signal: AbortSignal): Promise<KeyPair> =>
  certificate({ nodeName, signerName: "kubernetes.io/kube-apiserver-client-kubelet" }, effects, signal);

/**
 * A certificate of the kubelet's own server. The node asks for it itself, once its object says which addresses it has. One that
 * it shares with other nodes (several of one machine) is nobody's own, and stays out of it.
 */
export async function servingCertificate(
  { nodeName, nodeIp }: Asking,
  effects: Effects,
  signal: AbortSignal,
): Promise<KeyPair> {
  const { items } = await effects.client.list(Nodes, { signal });
  const isShared = items.some(
    ({ metadata, status }) =>
      metadata.name !== nodeName && status?.addresses?.some(({ address }) => address === nodeIp) === true,
  );
  const names = { dnsNames: [nodeName], ...(isShared ? {} : { ipAddresses: [nodeIp] }) };
  return await certificate({ nodeName, signerName: "kubernetes.io/kubelet-serving", names }, effects, signal);
}

async function certificate(
  about: {
    readonly nodeName: string;
    readonly signerName: string;
    /** Of a server; absent: the certificate is for a client. */
    readonly names?: { readonly dnsNames: readonly string[]; readonly ipAddresses?: readonly string[] };
  },
  { client, clock, onWaiting }: Effects,
  signal: AbortSignal,
): Promise<KeyPair> {
  const { nodeName, signerName, names } = about;
  const usage = names === undefined ? "client auth" : "server auth";
  // Loaded only here: an agent needs it once a year.
  const { requestFor } = await import("../pki/certificates.ts");
  const commonName = `system:node:${nodeName}`;
  const { request, key } = await requestFor({ commonName, organizations: ["system:nodes"], ...names });
  const asked = await client.create(
    CertificateSigningRequests,
    {
      metadata: { generateName: "csr-" },
      spec: { request: Buffer.from(request).toString("base64"), signerName, usages: ["digital signature", usage] },
    },
    { signal },
  );
  const { name } = asked.metadata;
  const late = new AbortController();
  using _hint = clock.after(patienceMs, () => onWaiting(name));
  using _end = clock.after(deadlineMs, () =>
    late.abort(new ClusterError("NOT_APPROVED", `nobody has approved the certificate request ${name}`)),
  );
  return { certificate: await signed(client, name, AbortSignal.any([signal, late.signal])), key };
}

async function signed(client: Client, name: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    for await (const event of client.watch(CertificateSigningRequests, {
      fieldSelector: `metadata.name=${name}`,
      signal,
    })) {
      if (event.type !== "ADDED" && event.type !== "MODIFIED") continue;
      const found = outcomeOf(event.object);
      if (found !== undefined) return found;
    }
  }
}

/** The certificate (PEM), once it is there. Throws `ClusterError` where it was refused. */
function outcomeOf({ metadata, status }: CertificateSigningRequest): string | undefined {
  const refusal = (status.conditions ?? []).find(({ type }) => type === "Denied" || type === "Failed");
  if (refusal !== undefined) {
    const { type, message = "" } = refusal;
    throw new ClusterError("NOT_APPROVED", `the certificate request ${metadata.name} is ${type}: ${message}`);
  }
  return status.certificate ? Buffer.from(status.certificate, "base64").toString("utf8") : undefined;
}
