import type { Pod } from "@skiff/api";
import type { SandboxConfig } from "@skiff/runtime";
import type { NodeIdentity } from "../options.ts";

type Dns = SandboxConfig["dns"];

/** Reads a resolv.conf; the last `search` or `domain` line counts. */
export function parseResolvConf(text: string): Dns {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver" && rest[0] !== undefined) servers.push(rest[0]);
    if (word === "search" || word === "domain") searches = rest.filter((one) => one !== ".");
    if (word === "options") options = rest;
  }
  return { servers, searches, options };
}

const unique = (items: readonly string[]): readonly string[] => [...new Set(items)];

/** How the pod's containers look names up, from its dnsPolicy and dnsConfig. `host` is the node's own resolver. */
export function podDns(pod: Pod, node: Pick<NodeIdentity, "clusterDns" | "clusterDomain">, host: Dns): Dns {
  const base = basicDns(pod, node, host);
  const extra = pod.spec.dnsConfig;
  if (extra === undefined) return base;
  const named = new Map<string, string>();
  for (const option of base.options) named.set(option.split(":")[0] ?? option, option);
  for (const { name, value } of extra.options ?? []) {
    if (name !== undefined) named.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  }
  return {
    servers: unique([...base.servers, ...(extra.nameservers ?? [])]),
    searches: unique([...base.searches, ...(extra.searches ?? [])]),
    options: [...named.values()],
  };
}

function basicDns(pod: Pod, node: Pick<NodeIdentity, "clusterDns" | "clusterDomain">, host: Dns): Dns {
  const policy = pod.spec.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const cluster = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && pod.spec.hostNetwork !== true);
  if (!cluster || node.clusterDns.length === 0) return host;
  const domain = node.clusterDomain;
  return {
    servers: node.clusterDns,
    searches: unique([`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches]),
    options: ["ndots:5"],
  };
}

const shorten = (name: string): string => name.slice(0, 63).replace(/[-.]+$/, "");

/** The pod's host name and, where it has a subdomain, its domain. */
export function podHostname(pod: Pod, clusterDomain: string): { readonly hostname: string; readonly domain: string } {
  const { hostname, subdomain, hostnameOverride } = pod.spec;
  if (hostnameOverride !== undefined && hostnameOverride !== "") return { hostname: hostnameOverride, domain: "" };
  const name = hostname !== undefined && hostname !== "" ? hostname : shorten(pod.metadata.name);
  const domain =
    subdomain === undefined || subdomain === "" ? "" : `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
  return pod.spec.setHostnameAsFQDN === true && domain !== ""
    ? { hostname: `${name}.${domain}`, domain: "" }
    : { hostname: name, domain };
}

/** The hosts file of a pod's containers. `nodeHosts` is the node's own, for pods on its network. */
export function hostsFile(
  pod: Pod,
  options: { readonly ips: readonly string[]; readonly clusterDomain: string; readonly nodeHosts: string },
): string {
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames }) => [ip, ...(hostnames ?? [])].join("\t"));
  const tail = aliases.length === 0 ? "" : `\n# Entries added by HostAliases.\n${aliases.join("\n")}\n`;
  if (pod.spec.hostNetwork === true)
    return `# Kubernetes-managed hosts file (host network).\n${options.nodeHosts}${tail}`;
  const { hostname, domain } = podHostname(pod, options.clusterDomain);
  const names = domain === "" ? hostname : `${hostname}.${domain}\t${hostname}`;
  const lines = [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...options.ips.map((ip) => `${ip}\t${names}`),
  ];
  return `${lines.join("\n")}\n${tail}`;
}
