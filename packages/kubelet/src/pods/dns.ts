import type { Pod } from "@skiff/api";
import type { SandboxConfig } from "@skiff/runtime";
import type { NodeIdentity } from "../options.ts";
import { podIdentity, podText } from "./pod-identity.ts";

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

const limits = { servers: 3, searches: 32, searchCharacters: 2048 };

/**
 * How the pod's containers look names up, from its dnsPolicy and dnsConfig, within what resolvers take. `host` is the
 * node's own resolver.
 */
export function podDns(pod: Pod, node: Pick<NodeIdentity, "clusterDns" | "clusterDomain">, host: Dns): Dns {
  const { servers, searches, options } = askedDns(pod, node, host);
  let length = -1;
  const fitting = searches.slice(0, limits.searches).filter((one) => {
    length += one.length + 1;
    return length <= limits.searchCharacters;
  });
  return { servers: servers.slice(0, limits.servers), searches: fitting, options };
}

/** What a person should know of a pod's names: the texts of DNSConfigForming and MissingClusterDNS events. */
export function dnsWarnings(
  pod: Pod,
  node: Pick<NodeIdentity, "clusterDns" | "clusterDomain">,
  host: Dns,
): readonly { readonly reason: "DNSConfigForming" | "MissingClusterDNS"; readonly message: string }[] {
  const asked = askedDns(pod, node, host);
  const used = podDns(pod, node, host);
  const forming = (message: string) => ({ reason: "DNSConfigForming" as const, message });
  return [
    ...(node.clusterDns.length === 0 && wantsClusterDns(pod)
      ? [{ reason: "MissingClusterDNS" as const, message: missingDns(pod) }]
      : []),
    ...(used.searches.length === asked.searches.length
      ? []
      : [
          forming(
            `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${used.searches.join(" ")}`,
          ),
        ]),
    ...(used.servers.length === asked.servers.length
      ? []
      : [
          forming(
            `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${used.servers.join(" ")}`,
          ),
        ]),
  ];
}

const missingDns = (pod: Pod): string =>
  `pod: "${podText(podIdentity(pod))}". kubelet does not have ClusterDNS IP configured and cannot create Pod using "${pod.spec.dnsPolicy ?? "ClusterFirst"}" policy. Falling back to "Default" policy.`;

function wantsClusterDns({ spec }: Pod): boolean {
  const policy = spec.dnsPolicy ?? "ClusterFirst";
  return policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && spec.hostNetwork !== true);
}

function askedDns(pod: Pod, node: Pick<NodeIdentity, "clusterDns" | "clusterDomain">, host: Dns): Dns {
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
  if (!wantsClusterDns(pod) || node.clusterDns.length === 0) return host;
  const domain = node.clusterDomain;
  return {
    servers: node.clusterDns,
    searches: unique([`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches]),
    options: ["ndots:5"],
  };
}

const shorten = (name: string): string => name.slice(0, 63).replace(/[-.]+$/, "");

/** The kernel's limit for a host name. */
const longestHostname = 64;

/** The pod's host name and, where it has a subdomain, its domain. */
export function podHostname(pod: Pod, clusterDomain: string): { readonly hostname: string; readonly domain: string } {
  const { hostname, subdomain, hostnameOverride } = pod.spec;
  if (hostnameOverride !== undefined && hostnameOverride !== "") return { hostname: hostnameOverride, domain: "" };
  const name = hostname !== undefined && hostname !== "" ? hostname : shorten(pod.metadata.name);
  const domain =
    subdomain === undefined || subdomain === "" ? "" : `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
  return { hostname: name, domain };
}

/** The name that the pod's containers see as theirs. Throws where the kernel would not take it. */
export function kernelHostname(pod: Pod, clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain);
  if (pod.spec.setHostnameAsFQDN !== true || domain === "") return hostname;
  const whole = `${hostname}.${domain}`;
  if (whole.length <= longestHostname) return whole;
  throw new Error(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${whole} is too long (${longestHostname} characters is the max, ${whole.length} characters requested)`,
  );
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
