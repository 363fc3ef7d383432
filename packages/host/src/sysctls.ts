import { readFile, writeFile } from "node:fs/promises";

/** Kernel parameters. Names as in `net.ipv4.ip_forward`, or with slashes where a part holds a dot: `net/ipv4/conf/eth0.1/forwarding`. */
export interface Sysctls {
  /** `undefined` when the kernel has no such parameter. */
  read(name: string): Promise<string | undefined>;
  /** False when the kernel has no such parameter (its module is not loaded). Leaves alone what has the value already. */
  write(name: string, value: string): Promise<boolean>;
}

/** The parameter that lets a link carry what has an address of the loopback. */
export const localnetOf = (link: string): string => `net/ipv4/conf/${link}/route_localnet`;

const fileOf = (name: string): string => `/proc/sys/${name.includes("/") ? name : name.replaceAll(".", "/")}`;

async function read(name: string): Promise<string | undefined> {
  try {
    return (await readFile(fileOf(name), "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** The machine's kernel parameters, through `/proc/sys`. */
export const systemSysctls: Sysctls = {
  read,
  async write(name, value) {
    const now = await read(name);
    if (now === undefined) return false;
    if (now.replaceAll(/\s+/g, " ") !== value) await writeFile(fileOf(name), value);
    return true;
  },
};

/** Kernel parameters in memory, for tests. Knows those it was made with. */
export class MemorySysctls implements Sysctls {
  readonly values: Map<string, string>;
  constructor(values: Readonly<Record<string, string>> = {}) {
    this.values = new Map(Object.entries(values));
  }
  async read(name: string): Promise<string | undefined> {
    return this.values.get(name);
  }
  async write(name: string, value: string): Promise<boolean> {
    if (!this.values.has(name)) return false;
    this.values.set(name, value);
    return true;
  }
}
