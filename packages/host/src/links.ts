import { readdir, readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { CommandError, type Processes, systemProcesses } from "./processes.ts";

/** A network interface. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth`, `vxlan`, …; `undefined` for hardware. */
  readonly kind: string | undefined;
  readonly mtu: number;
  readonly mac: string;
  readonly up: boolean;
  /** Name of the bridge it is a port of. */
  readonly master: string | undefined;
}

/** An address of a link, as in `10.42.0.1` with a prefix of 24. */
export interface LinkAddress {
  readonly link: string;
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  readonly prefixLength: number;
}

/** A route of the main table. `destination` is a CIDR or `default`. */
export interface Route {
  readonly destination: string;
  readonly via?: string;
  readonly link?: string;
  readonly source?: string;
  /** The gateway counts as reachable on the link although no address says so. */
  readonly onlink?: boolean;
  /** Who made it, as `ip route` says it (`kernel`, `static`, a number); absent: nobody said. */
  readonly protocol?: string;
}

/** A route that is to come or to go. One that is there and differs in anything is removed and added. */
export interface RouteChange {
  readonly kind: "add" | "remove";
  readonly route: Route;
}

/** A change that the kernel refused, with its words. */
export interface RefusedRoute {
  readonly change: RouteChange;
  readonly words: string;
}

export interface Links {
  list(signal: AbortSignal): Promise<readonly Link[]>;
  /** False when there was no such link. */
  remove(name: string, signal: AbortSignal): Promise<boolean>;
  /** Runs `ip link add NAME ARGS…`; fine when the link exists already. */
  add(name: string, args: readonly string[], signal: AbortSignal): Promise<void>;
  setUp(name: string, signal: AbortSignal): Promise<void>;
}

export interface Addresses {
  list(signal: AbortSignal): Promise<readonly LinkAddress[]>;
  /** `cidr` as in `10.42.0.1/24`; fine when the link has it already. */
  add(link: string, cidr: string, signal: AbortSignal): Promise<void>;
  /** Fine when the link does not have it. */
  remove(link: string, cidr: string, signal: AbortSignal): Promise<void>;
  /** The node's address: that of the link of the default route, else the first that is not loopback, else 127.0.0.1. */
  primaryIPv4(): Promise<string>;
  /** All addresses of this machine, of both families. */
  own(): readonly string[];
}

export interface Routes {
  list(signal: AbortSignal): Promise<readonly Route[]>;
  /** Adds the route, or changes the one to the same destination. */
  replace(route: Route, signal: AbortSignal): Promise<void>;
  /** False when there was no such route. */
  remove(route: Route, signal: AbortSignal): Promise<boolean>;
  /** Makes many changes with one process, in order, whichever of them are refused. What is gone already counts as removed. */
  change(changes: readonly RouteChange[], signal: AbortSignal): Promise<readonly RefusedRoute[]>;
  /** Removes all routes that this protocol made. */
  removeAll(protocol: string, signal: AbortSignal): Promise<void>;
}

/** Named network namespaces (`/run/netns`, `/var/run/netns`). */
export interface NetworkNamespaces {
  list(): Promise<readonly string[]>;
  /** Fine when there is one of this name already. */
  add(name: string, signal: AbortSignal): Promise<void>;
  /** False when there was none of this name. */
  remove(name: string, signal: AbortSignal): Promise<boolean>;
}

type Json = Readonly<Record<string, unknown>>;
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const number = (value: unknown): number => (typeof value === "number" ? value : 0);

function records(stdout: string): readonly Json[] {
  if (stdout.trim() === "") return [];
  const parsed: unknown = JSON.parse(stdout);
  return Array.isArray(parsed) ? parsed.filter(isJson) : [];
}

const gone =
  /Cannot find device|No such process|Cannot assign requested address|does not exist|Address not found|No such file/;
const exists = /File exists|already assigned/;

function linkOf(record: Json): Link {
  const info = isJson(record.linkinfo) ? record.linkinfo : {};
  const flags = Array.isArray(record.flags) ? record.flags : [];
  return {
    index: number(record.ifindex),
    name: text(record.ifname) ?? "",
    kind: text(info.info_kind),
    mtu: number(record.mtu),
    mac: text(record.address) ?? "",
    up: flags.includes("UP"),
    master: text(record.master),
  };
}

function addressesOf(record: Json): readonly LinkAddress[] {
  const found = Array.isArray(record.addr_info) ? record.addr_info.filter(isJson) : [];
  return found.map((info) => ({
    link: text(record.ifname) ?? "",
    family: info.family === "inet6" ? "ipv6" : "ipv4",
    address: text(info.local) ?? "",
    prefixLength: number(info.prefixlen),
  }));
}

function routeOf(record: Json): Route {
  const via = text(record.gateway);
  const link = text(record.dev);
  const source = text(record.prefsrc);
  const protocol = text(record.protocol);
  const flags = Array.isArray(record.flags) ? record.flags : [];
  return {
    destination: text(record.dst) ?? "default",
    ...(via === undefined ? {} : { via }),
    ...(link === undefined ? {} : { link }),
    ...(source === undefined ? {} : { source }),
    ...(flags.includes("onlink") ? { onlink: true } : {}),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

const routeArgs = (route: Route): string[] => [
  route.destination,
  ...(route.via === undefined ? [] : ["via", route.via]),
  ...(route.link === undefined ? [] : ["dev", route.link]),
  ...(route.source === undefined ? [] : ["src", route.source]),
  ...(route.onlink ? ["onlink"] : []),
  ...(route.protocol === undefined ? [] : ["proto", route.protocol]),
];

/** What `ip -force -batch` said of the lines that failed: the words of each stand before its number. */
export function refusedRoutes(changes: readonly RouteChange[], stderr: string): readonly RefusedRoute[] {
  const refused: RefusedRoute[] = [];
  let words: string[] = [];
  for (const line of stderr.split("\n")) {
    const failed = /^Command failed \S+:(\d+)/.exec(line)?.[1];
    if (failed === undefined) {
      words.push(line);
      continue;
    }
    const change = changes[Number(failed) - 1];
    const said = words.join(" ").trim();
    words = [];
    if (change !== undefined && !(change.kind === "remove" && gone.test(said))) refused.push({ change, words: said });
  }
  return refused;
}

/** Name of the link of the default route, from `/proc/net/route`: no process is needed to ask. */
export function defaultRouteLink(table: string): string | undefined {
  let best: { readonly link: string; readonly metric: number } | undefined;
  for (const line of table.split("\n").slice(1)) {
    const [link, destination, , flags, , , metric, mask] = line.split("\t");
    if (link === undefined || destination !== "00000000" || mask?.trim() !== "00000000") continue;
    // RTF_UP
    if ((Number.parseInt(flags ?? "0", 16) & 1) === 0) continue;
    if (best === undefined || Number(metric) < best.metric) best = { link, metric: Number(metric) };
  }
  return best?.link;
}

async function primaryIPv4(): Promise<string> {
  const table = await readFile("/proc/net/route", "utf8").catch(() => "");
  const link = defaultRouteLink(table);
  const all = networkInterfaces();
  const candidates = [
    ...(link === undefined ? [] : (all[link] ?? [])),
    ...Object.values(all).flatMap((one) => one ?? []),
  ];
  return candidates.find((one) => one.family === "IPv4" && !one.internal)?.address ?? "127.0.0.1";
}

/** The machine's links, addresses, routes and namespaces, through iproute2. */
export interface SystemNetwork {
  readonly links: Links;
  readonly addresses: Addresses;
  readonly routes: Routes;
  readonly namespaces: NetworkNamespaces;
}

/** iproute2 on this machine (or in the network namespace that this process is in), or in a namespace that has a name. */
export function systemNetwork(
  processes: Processes = systemProcesses,
  { namespace }: { readonly namespace?: string } = {},
): SystemNetwork {
  const where = namespace === undefined ? [] : ["-netns", namespace];
  const ip = (args: readonly string[], signal: AbortSignal) =>
    processes.output("ip", { args: [...where, ...args], timeoutMs: 20_000 }, signal);
  /** False where the failure only says that the wanted state was there before. */
  const unless = async (benign: RegExp, args: readonly string[], signal: AbortSignal): Promise<boolean> => {
    try {
      await ip(args, signal);
      return true;
    } catch (error) {
      if (error instanceof CommandError && error.code === "FAILED" && benign.test(error.message)) return false;
      throw error;
    }
  };
  return {
    links: {
      list: async (signal) => records(await ip(["-j", "-d", "link", "show"], signal)).map(linkOf),
      remove: (name, signal) => unless(gone, ["link", "delete", name], signal),
      add: async (name, args, signal) => {
        await unless(exists, ["link", "add", name, ...args], signal);
      },
      setUp: async (name, signal) => {
        await ip(["link", "set", name, "up"], signal);
      },
    },
    addresses: {
      list: async (signal) => records(await ip(["-j", "address", "show"], signal)).flatMap(addressesOf),
      add: async (link, cidr, signal) => {
        await unless(exists, ["address", "add", cidr, "dev", link], signal);
      },
      remove: async (link, cidr, signal) => {
        await unless(gone, ["address", "delete", cidr, "dev", link], signal);
      },
      primaryIPv4,
      own: () =>
        Object.values(networkInterfaces())
          .flatMap((one) => one ?? [])
          .map(({ address }) => address),
    },
    routes: {
      list: async (signal) => records(await ip(["-j", "route", "show"], signal)).map(routeOf),
      replace: async (route, signal) => {
        await ip(["route", "replace", ...routeArgs(route)], signal);
      },
      remove: (route, signal) => unless(gone, ["route", "delete", ...routeArgs(route)], signal),
      async change(changes, signal) {
        if (changes.length === 0) return [];
        const words = { add: "add", remove: "delete" } as const;
        const lines = changes.map(({ kind, route }) => `route ${words[kind]} ${routeArgs(route).join(" ")}\n`);
        const options = { args: [...where, "-force", "-batch", "-"], stdin: lines.join(""), timeoutMs: 60_000 };
        const result = await processes.run("ip", options, signal);
        const refused = refusedRoutes(changes, result.stderr);
        // It ends with an error when single lines failed, too.
        if (result.code !== 0 && !result.stderr.includes("Command failed")) {
          throw new CommandError("FAILED", `ip -batch: ${result.stderr.trim()}`, { result });
        }
        return refused;
      },
      async removeAll(protocol, signal) {
        await ip(["route", "flush", "proto", protocol], signal);
      },
    },
    namespaces: {
      list: () => readdir("/run/netns").catch(() => []),
      add: async (name, signal) => {
        await unless(exists, ["netns", "add", name], signal);
      },
      remove: (name, signal) => unless(gone, ["netns", "delete", name], signal),
    },
  };
}
