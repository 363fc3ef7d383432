import { createSocket, type Socket } from "node:dgram";
import { type Socket as Connection, createServer, type Server } from "node:net";
import { type Clock, describeError, type Logger } from "@skiff/base";
import { answerQuery, failure } from "./answer.ts";
import { framed, type Upstream } from "./forward.ts";
import type { ZoneSource } from "./zone.ts";

const serverFailure = 2;
const idleConnectionMs = 10_000;
const maxConnections = 512;
/** Questions that wait for somebody else's answer; more are turned away. */
const maxForwarded = 2_000;

export interface DnsServerOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly source: ZoneSource;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Cluster DNS on one address, by datagrams and connections. */
export class DnsServer implements AsyncDisposable {
  readonly #options: DnsServerOptions;
  readonly #datagrams: Socket = createSocket("udp4");
  readonly #connections: Server;
  readonly #open = new Set<Connection>();
  #forwarded = 0;

  private constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#connections = createServer((connection) => this.#serve(connection));
    this.#connections.maxConnections = maxConnections;
  }

  /** Listens; rejects when the address or the port cannot be had. */
  static async start(options: DnsServerOptions): Promise<DnsServer> {
    const server = new DnsServer(options);
    await server.#listen();
    return server;
  }

  /** The port that it listens on, the same for both. */
  get port(): number {
    return this.#datagrams.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open) connection.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.#datagrams.close(() => resolve())),
      new Promise<void>((resolve) => this.#connections.close(() => resolve())),
    ]);
  }

  async #listen(): Promise<void> {
    const { address, port, logger } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#datagrams.once("error", reject);
      this.#datagrams.bind(port, address, resolve);
    });
    this.#datagrams.removeAllListeners("error");
    this.#datagrams.on("error", (error) => logger.warn(`DNS: ${describeError(error)}`));
    await new Promise<void>((resolve, reject) => {
      this.#connections.once("error", reject);
      this.#connections.listen(this.port, address, resolve);
    });
    this.#datagrams.on("message", (message, from) => {
      this.#answer(message, "udp", (answer) => this.#datagrams.send(answer, from.port, from.address));
    });
  }

  #serve(connection: Connection): void {
    this.#open.add(connection);
    connection.setTimeout(idleConnectionMs, () => connection.destroy());
    connection.on("close", () => this.#open.delete(connection));
    connection.on("error", () => connection.destroy());
    let received = Buffer.alloc(0);
    connection.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        const message = received.subarray(2, 2 + length);
        received = received.subarray(2 + length);
        this.#answer(message, "tcp", (answer) => connection.write(framed(answer)));
      }
    });
  }

  #answer(message: Buffer, transport: "udp" | "tcp", send: (answer: Buffer) => void): void {
    const { source, upstream, logger } = this.#options;
    const reply = answerQuery(message, source, transport);
    if (reply.kind === "answer") send(reply.message);
    if (reply.kind !== "forward" && reply.kind !== "chase") return;
    if (this.#forwarded >= maxForwarded) {
      send(failure(message, serverFailure));
      return;
    }
    this.#forwarded++;
    const finish = (theirs: Buffer | undefined) =>
      reply.kind === "chase" ? reply.finish(theirs) : (theirs ?? failure(message, serverFailure));
    upstream
      .ask(reply.kind === "chase" ? reply.query : message, transport)
      .then((theirs) => send(finish(theirs)))
      .catch((error: unknown) => logger.warn(`DNS upstream: ${describeError(error)}`))
      .finally(() => this.#forwarded--);
  }
}
