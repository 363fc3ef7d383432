import { readFile } from "node:fs/promises";
import type { EndpointSlice } from "@skiff/api";
import { type Clock, describeError, jsonEqual, type Logger } from "@skiff/base";
import type { Informer } from "@skiff/client";
import { writeFileAtomic } from "@skiff/host";
import type { ClusterPaths } from "../settings/paths.ts";

/** A connection that held so long was one to a server that answers: the node's own comes first again. */
const heldMs = 30_000;

interface Effects {
  readonly paths: Pick<ClusterPaths, "servers">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Where the agent of a joined node tries to reach the API server: first at the address that it joined by, then at the cluster's
 * other servers in turn, which are known from the Service `kubernetes`, or from when it was last heard of.
 */
export class ServerTurns {
  readonly #own: string;
  readonly #effects: Effects;
  #others: readonly string[];
  #turn = -1;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(own: string, others: readonly string[], effects: Effects) {
    this.#own = own;
    this.#others = others;
    this.#effects = effects;
  }

  /** With the servers that were written down. */
  static async read(own: string, effects: Effects): Promise<ServerTurns> {
    const text = await readFile(effects.paths.servers, "utf8").catch(() => "[]");
    return new ServerTurns(own, serversIn(text), effects);
  }

  /** The server to try now. */
  next(): string {
    const nowMs = this.#effects.clock.monotonic();
    this.#turn = nowMs - this.#askedMs >= heldMs ? 0 : this.#turn + 1;
    this.#askedMs = nowMs;
    const all = [this.#own, ...this.#others.filter((server) => server !== this.#own)];
    return all[this.#turn % all.length] ?? this.#own;
  }

  /** Hears of the servers, until it is disposed of. */
  follow(slices: Informer<EndpointSlice>): Disposable {
    return slices.onChange(({ object: { metadata } }) => {
      const isTheirs = metadata.labels?.["kubernetes.io/service-name"] === "kubernetes";
      if (isTheirs && metadata.namespace === "default") this.#note(serversOf(slices.list("default")));
    });
  }

  #note(servers: readonly string[]): void {
    // A single server is the node's own, by whatever address it is reached; or the others are gone for now, and may come back.
    if (servers.length < 2 || jsonEqual(servers, this.#others)) return;
    this.#others = servers;
    const { paths, logger } = this.#effects;
    writeFileAtomic(paths.servers, `${JSON.stringify(servers)}\n`, { mode: 0o644 }).catch((error: unknown) =>
      logger.warn(`the cluster's servers are not written down: ${describeError(error)}`),
    );
  }
}

/** The servers behind the Service `kubernetes`, in a fixed order. */
export const serversOf = (slices: readonly EndpointSlice[]): readonly string[] =>
  slices
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "kubernetes")
    .flatMap(({ endpoints, ports }) =>
      (endpoints ?? []).flatMap(({ addresses }) => addresses.map((ip) => `https://${ip}:${ports?.[0]?.port ?? 6443}`)),
    )
    .sort();

function serversIn(text: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter((server) => typeof server === "string") : [];
  } catch {
    return [];
  }
}
