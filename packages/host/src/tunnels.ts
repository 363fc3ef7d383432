import { CommandError, type Processes } from "./processes.ts";

/** A VXLAN device: packets for neighbours behind routers, wrapped in UDP. Nothing is learned: all peers are told of. */
export interface Tunnel {
  /** 15 characters at most. */
  readonly name: string;
  /** The network's number (VNI), 24 bits. */
  readonly id: number;
  /** This machine's address, which wrapped packets come from, and the link that has it. */
  readonly local: string;
  readonly link: string;
  readonly mac: string;
  /** This end's address within the tunnel. */
  readonly address: string;
}

/** The other end on another machine. */
export interface TunnelPeer {
  readonly mac: string;
  /** Its address within the tunnel. */
  readonly address: string;
  /** The machine's own, where wrapped packets go. */
  readonly remote: string;
}

export interface Tunnels {
  /** Makes the device; one that is there and goes elsewhere is made anew. */
  ensure(tunnel: Tunnel, signal: AbortSignal): Promise<void>;
  /** The peers that the device knows. */
  peers(name: string, signal: AbortSignal): Promise<readonly TunnelPeer[]>;
  /** Adds and removes peers, however many, with two processes. */
  change(
    name: string,
    changes: { readonly add: readonly TunnelPeer[]; readonly remove: readonly TunnelPeer[] },
    signal: AbortSignal,
  ): Promise<void>;
}

/** The port that the kernel and flannel use. */
const port = 8472;
const timeoutMs = 60_000;

type Json = Readonly<Record<string, unknown>>;
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const recordsOf = (text: string): readonly Json[] => {
  const parsed: unknown = text.trim() === "" ? [] : JSON.parse(text);
  return Array.isArray(parsed) ? parsed.filter(isJson) : [];
};

/** VXLAN through iproute2's `ip` and `bridge`. */
export function systemTunnels(processes: Processes): Tunnels {
  const output = (command: string, args: readonly string[], signal: AbortSignal) =>
    processes.output(command, { args, timeoutMs }, signal);
  const batch = async (command: string, lines: readonly string[], signal: AbortSignal): Promise<void> => {
    if (lines.length === 0) return;
    const stdin = `${lines.join("\n")}\n`;
    const result = await processes.run(command, { args: ["-force", "-batch", "-"], stdin, timeoutMs }, signal);
    // What is to go may be gone.
    const refused = result.stderr
      .split("\n")
      .filter((line) => line !== "" && !/^Command failed|No such file/.test(line));
    if (refused.length > 0) throw new CommandError("FAILED", `${command} -batch: ${refused[0]}`, { result });
  };
  return {
    async ensure({ name, id, local, link, mac, address }, signal) {
      const found = await processes.run("ip", { args: ["-j", "-d", "link", "show", name], timeoutMs }, signal);
      const [device] = found.code === 0 ? recordsOf(found.stdout) : [];
      const info =
        isJson(device?.linkinfo) && isJson(device.linkinfo.info_data) ? device.linkinfo.info_data : undefined;
      const isRight = info?.id === id && info.local === local && info.port === port && device?.address === mac;
      if (device !== undefined && !isRight) await output("ip", ["link", "delete", name], signal);
      if (!isRight) {
        const where = ["id", String(id), "local", local, "dev", link, "dstport", String(port), "nolearning"];
        await output("ip", ["link", "add", name, "address", mac, "type", "vxlan", ...where], signal);
      }
      await output("ip", ["address", "replace", `${address}/32`, "dev", name], signal);
      await output("ip", ["link", "set", name, "up"], signal);
    },
    async peers(name, signal) {
      const neighbours = recordsOf(
        await output("ip", ["-j", "neigh", "show", "dev", name, "nud", "permanent"], signal),
      );
      const forwards = recordsOf(await output("bridge", ["-j", "fdb", "show", "dev", name], signal));
      const remotes = new Map(forwards.map(({ mac, dst }) => [String(mac), typeof dst === "string" ? dst : ""]));
      return neighbours.map(({ dst, lladdr }) => {
        const mac = String(lladdr);
        return { mac, address: String(dst), remote: remotes.get(mac) ?? "" };
      });
    },
    async change(name, { add, remove }, signal) {
      const away = remove.filter(({ remote }) => remote !== "");
      await batch(
        "bridge",
        [
          ...away.map(({ mac, remote }) => `fdb delete ${mac} dev ${name} dst ${remote} self`),
          ...add.map(({ mac, remote }) => `fdb replace ${mac} dev ${name} dst ${remote} self permanent`),
        ],
        signal,
      );
      await batch(
        "ip",
        [
          ...remove.map(({ address }) => `neigh delete ${address} dev ${name}`),
          ...add.map(({ mac, address }) => `neigh replace ${address} lladdr ${mac} dev ${name} nud permanent`),
        ],
        signal,
      );
    },
  };
}
