import type { IssuedAccess } from "./issue-access.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A kubeconfig (JSON, which is YAML) for the administrator of a test cluster. */
export function kubeconfigOf(endpoint: string, { ca, admin }: IssuedAccess): string {
  const name = "test-cluster";
  const user = { "client-certificate-data": base64(admin.cert), "client-key-data": base64(admin.key) };
  const cluster = { server: endpoint, "certificate-authority-data": base64(ca) };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
