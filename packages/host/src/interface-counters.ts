import { readFile } from "node:fs/promises";

/** What went over a network interface since it was made. */
export interface InterfaceCounters {
  /** As in `eth0`. */
  readonly name: string;
  readonly received: DirectionCounters;
  readonly sent: DirectionCounters;
}

export interface DirectionCounters {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}

/** Reads the text of `/proc/PID/net/dev`; the loopback is left out. */
export function parseNetDev(text: string): readonly InterfaceCounters[] {
  return text.split("\n").flatMap((line): InterfaceCounters[] => {
    const [, name = "lo", numbers = ""] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === "lo") return [];
    const values = numbers.trim().split(/\s+/).map(Number);
    const direction = (from: number): DirectionCounters => {
      const [bytes = 0, packets = 0, errors = 0, dropped = 0] = values.slice(from, from + 4);
      return { bytes, packets, errors, dropped };
    };
    return [{ name, received: direction(0), sent: direction(8) }];
  });
}

/** The interfaces in the network namespace of a process; none when the process is gone. */
export const interfaceCounters = async (pid: number | "self"): Promise<readonly InterfaceCounters[]> =>
  parseNetDev(await readFile(`/proc/${pid}/net/dev`, "utf8").catch(() => ""));

/** The interface of the default route, from the text of `/proc/net/route`. */
export const parseDefaultInterface = (text: string): string | undefined => /^(\S+)\s+00000000\s/m.exec(text)?.[1];

/** This machine's interfaces, that of the default route first. */
export async function machineInterfaces(): Promise<readonly InterfaceCounters[]> {
  const first = parseDefaultInterface(await readFile("/proc/net/route", "utf8").catch(() => ""));
  const all = await interfaceCounters("self");
  return [...all.filter(({ name }) => name === first), ...all.filter(({ name }) => name !== first)];
}
