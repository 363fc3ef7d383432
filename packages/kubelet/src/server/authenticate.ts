import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";

export type Verdict = "allowed" | "unauthorized" | "forbidden";

/** Whom the API server is known as to nodes. */
const apiServers: ReadonlySet<string> = new Set([
  "kube-apiserver-kubelet-client",
  "kube-apiserver",
  "system:apiserver",
]);

/** Judges a verified certificate's subject: administrators and the API server may use a node's server, nobody else. */
export function judge(subject: { readonly CN?: string | string[]; readonly O?: string | string[] }): Verdict {
  const names = [subject.CN ?? []].flat();
  const groups = [subject.O ?? []].flat();
  return groups.includes("system:masters") || names.some((name) => apiServers.has(name)) ? "allowed" : "forbidden";
}

/** Who stands behind a request: decided by its client certificate alone. */
export function authenticate(request: IncomingMessage): Verdict {
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return "unauthorized";
  const { subject } = socket.getPeerCertificate();
  return subject === undefined ? "unauthorized" : judge(subject);
}
