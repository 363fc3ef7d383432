type Namespace = "ipc" | "net";

/** Sysctls that are a pod's own and cannot hurt others, each with the namespace that holds it. */
const safe: ReadonlyMap<string, Namespace> = new Map([
  ["kernel.shm_rmid_forced", "ipc"],
  ["net.ipv4.ip_local_port_range", "net"],
  ["net.ipv4.tcp_syncookies", "net"],
  ["net.ipv4.ping_group_range", "net"],
  ["net.ipv4.ip_unprivileged_port_start", "net"],
  ["net.ipv4.ip_local_reserved_ports", "net"],
  ["net.ipv4.tcp_keepalive_time", "net"],
  ["net.ipv4.tcp_fin_timeout", "net"],
  ["net.ipv4.tcp_keepalive_intvl", "net"],
  ["net.ipv4.tcp_keepalive_probes", "net"],
  ["net.ipv4.tcp_rmem", "net"],
  ["net.ipv4.tcp_wmem", "net"],
]);

const namespacePrefixes: readonly (readonly [string, Namespace])[] = [
  ["kernel.sem", "ipc"],
  ["kernel.shm", "ipc"],
  ["kernel.msg", "ipc"],
  ["fs.mqueue.", "ipc"],
  ["net.", "net"],
];

/**
 * A sysctl's name with dots between its parts. Where a slash comes first the slashes separate and dots belong to the
 * names: `net/ipv4/conf/eth0.1/rp_filter` is `net.ipv4.conf.eth0/1.rp_filter`.
 */
export function sysctlName(name: string): string {
  const first = name.search(/[./]/);
  if (first === -1 || name[first] === ".") return name;
  return name.replaceAll(/[./]/g, (one) => (one === "." ? "/" : "."));
}

/** What of the node's namespaces a pod shares. */
export interface SharedNamespaces {
  readonly hostNetwork: boolean;
  readonly hostIpc: boolean;
}

/**
 * Why a pod may not set a sysctl on this node; `undefined` where it may. `allowed` are the unsafe ones that the node's
 * operator permits, each a name or a prefix with `*` behind it.
 */
export function sysctlRefusal(name: string, pod: SharedNamespaces, allowed: readonly string[]): string | undefined {
  const sysctl = sysctlName(name);
  const listed = allowed.some((one) => (one.endsWith("*") ? sysctl.startsWith(one.slice(0, -1)) : sysctl === one));
  const namespace = safe.get(sysctl) ?? (listed ? sysctlNamespace(sysctl) : undefined);
  if (namespace === undefined) return `forbidden sysctl: "${sysctl}" not allowlisted`;
  const shared = namespace === "net" ? pod.hostNetwork : pod.hostIpc;
  return shared ? `forbidden sysctl: "${sysctl}" not allowed with host ${namespace} enabled` : undefined;
}

/** Only sysctls of a namespace can be a pod's own; all others belong to the whole node, whatever was allowed. */
export const sysctlNamespace = (sysctl: string): Namespace | undefined =>
  namespacePrefixes.find(([prefix]) => sysctl.startsWith(prefix))?.[1];
