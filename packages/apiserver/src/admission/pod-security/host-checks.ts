import type { Probe } from "@skiff/api";
import {
  type Check,
  containersOf,
  containersText,
  namesOf,
  pluralize,
  quotedList,
  type Subject,
  settersText,
  sortedSet,
  type Violation,
} from "./check.ts";

const always = (judge: (subject: Subject) => Violation | undefined) => [{ since: 0, judge }];

function namespaces({ spec }: Subject): Violation | undefined {
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((name) => spec[name] === true);
  if (shared.length === 0) return undefined;
  return { reason: "host namespaces", detail: shared.map((name) => `${name}=true`).join(", ") };
}

function paths({ spec }: Subject): Violation | undefined {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    reason: "hostPath volumes",
    detail: `${pluralize("volume", "volumes", names.length)} ${quotedList(names)}`,
  };
}

function ports(subject: Subject): Violation | undefined {
  const used = containersOf(subject).flatMap((container) => {
    const own = (container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
    return own.length === 0 ? [] : [{ name: container.name, ports: own }];
  });
  if (used.length === 0) return undefined;
  const names = used.map(({ name }) => name);
  const numbers = sortedSet(used.flatMap((one) => one.ports));
  const what = pluralize("hostPort", "hostPorts", numbers.length);
  return {
    reason: "hostPort",
    detail: `${containersText(names)} ${pluralize("uses", "use", names.length)} ${what} ${numbers.join(", ")}`,
  };
}

const hostsOf = (handler: Pick<Probe, "httpGet" | "tcpSocket"> | undefined): readonly string[] =>
  [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host): host is string => !!host);

function probes(subject: Subject): Violation | undefined {
  const used = containersOf(subject).flatMap((container) => {
    const { name, livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
    const handlers = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
    const hosts = handlers.flatMap(hostsOf);
    return hosts.length === 0 ? [] : [{ name, hosts }];
  });
  if (used.length === 0) return undefined;
  const names = sortedSet(used.map(({ name }) => name));
  const hosts = sortedSet(used.flatMap((one) => one.hosts));
  const what = pluralize("probe or lifecycle host", "probe or lifecycle hosts", hosts.length);
  return {
    reason: "probe or lifecycle host",
    detail: `${containersText(names)} ${pluralize("uses", "use", names.length)} ${what} ${quotedList(hosts)}`,
  };
}

function windowsProcess(subject: Subject): Violation | undefined {
  const names = namesOf(subject, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
  const setters = settersText(subject.spec.securityContext?.windowsOptions?.hostProcess === true, names);
  if (setters === "") return undefined;
  return { reason: "hostProcess", detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` };
}

const safeSysctls: readonly (readonly [since: number, ...names: string[]])[] = [
  [
    0,
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
  ],
  [27, "net.ipv4.ip_local_reserved_ports"],
  [
    29,
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
  ],
  [32, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"],
];

const sysctls = (since: number): Check["versions"][number] => {
  const safe = new Set(safeSysctls.flatMap(([begins, ...names]) => (begins <= since ? names : [])));
  return {
    since,
    judge({ spec }) {
      const given = spec.securityContext?.sysctls ?? [];
      const unsafe = given.filter(({ name }) => !safe.has(name)).map(({ name }) => name);
      return unsafe.length === 0 ? undefined : { reason: "forbidden sysctls", detail: unsafe.join(", ") };
    },
  };
};

/** Controls of what pods share with their node. */
export const hostChecks: readonly Check[] = [
  { id: "hostNamespaces", level: "baseline", versions: always(namespaces) },
  { id: "hostPathVolumes", level: "baseline", versions: always(paths) },
  { id: "hostPorts", level: "baseline", versions: always(ports) },
  { id: "hostProbesAndHostLifecycle", level: "baseline", versions: [{ since: 34, judge: probes }] },
  { id: "sysctls", level: "baseline", versions: safeSysctls.map(([since]) => sysctls(since)) },
  { id: "windowsHostProcess", level: "baseline", versions: always(windowsProcess) },
];
