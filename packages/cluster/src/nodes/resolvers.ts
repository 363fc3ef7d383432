const nameserver = /^\s*nameserver\s+(\S+)/;

/** Whether a resolv.conf names resolvers, all of which only the machine itself reaches. */
export function namesOnlyLoopback(resolvConf: string): boolean {
  const servers = resolvConf.split("\n").flatMap((line) => nameserver.exec(line)?.[1] ?? []);
  return servers.length > 0 && servers.every((server) => server.startsWith("127.") || server === "::1");
}

/** The same with one other resolver in the place of all. */
export const resolvConfBy = (resolvConf: string, server: string): string =>
  [
    ...resolvConf.split("\n").filter((line) => line.trim() !== "" && !nameserver.test(line)),
    `nameserver ${server}`,
    "",
  ].join("\n");
