import { readFile } from "node:fs/promises";
import { createServer } from "node:net";

/**
 * True when nothing listens on the port, on any address. The kernel's table is read, for whoever tries a port by listening on
 * it takes it from another who looks, or starts, in the same moment.
 */
export async function portIsFree(port: number): Promise<boolean> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "utf8").catch(() => undefined)),
  );
  const known = tables.filter((table) => table !== undefined);
  // Without IPv6 there is no second table.
  return known.length === 0 ? canListen(port) : !known.some((table) => listeningPorts(table).has(port));
}

/** Ports that are listened on, from the text of `/proc/net/tcp` or `tcp6`. */
export function listeningPorts(table: string): ReadonlySet<number> {
  const lines = table.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm);
  return new Set([...lines].map(([, port = ""]) => Number.parseInt(port, 16)));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
