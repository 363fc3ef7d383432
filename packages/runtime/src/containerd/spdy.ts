/**
 * A client for SPDY/3.1, as far as the streaming server of the CRI speaks it: streams opened by the client, data,
 * half-close, reset. That server knows no flow control but TCP's. Header blocks are compressed in the protocol;
 * ours are zlib streams of stored (uncompressed) blocks, and those of the replies hold nothing of interest.
 */
import { request } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { unavailable } from "./grpc-error.ts";

const frames = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 };
const fin = 1;
/** A stream that nobody reads holds the whole connection up once it has this much. */
const bufferLimitBytes = 1024 * 1024;

function controlFrame(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(flags * 0x1000000 + body.length, 4);
  return Buffer.concat([head, body]);
}

function dataFrame(id: number, flags: number, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(flags * 0x1000000 + data.length, 4);
  return Buffer.concat([head, data]);
}

const counted = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
};

/** A header block; the first of a connection begins the zlib stream. */
function headerBlock(headers: Readonly<Record<string, string>>, first: boolean): Buffer {
  const pairs = Object.entries(headers);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(pairs.length);
  const plain = Buffer.concat([count, ...pairs.flatMap(([name, value]) => [counted(name), counted(value)])]);
  const stored = Buffer.alloc(5);
  stored.writeUInt16LE(plain.length, 1);
  stored.writeUInt16LE(plain.length ^ 0xffff, 3);
  // An empty block makes the reader hand out what it has.
  const flush = Buffer.from([0, 0, 0, 0xff, 0xff]);
  return Buffer.concat([first ? Buffer.from([0x78, 0x01]) : Buffer.alloc(0), stored, plain, flush]);
}

/** One stream of a connection. Ending it closes our half. */
export class SpdyStream extends Duplex {
  readonly #id: number;
  readonly #session: SpdySession;
  readonly #opened = Promise.withResolvers<void>();
  /** Resolves when the server has accepted the stream, or never will. */
  readonly opened: Promise<void> = this.#opened.promise;

  constructor(session: SpdySession, id: number) {
    super({ allowHalfOpen: true, autoDestroy: true });
    this.#session = session;
    this.#id = id;
    // Who holds the stream need not listen: the end of the connection is told by its owner.
    this.on("error", () => {});
  }

  /** The server has answered. */
  noteOpened(): void {
    this.#opened.resolve();
  }

  override _read(): void {
    this.#session.readMore();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#session.send(dataFrame(this.#id, 0, chunk), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#session.send(dataFrame(this.#id, fin, Buffer.alloc(0)), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#session.forget(this.#id, this.readableEnded && this.writableFinished);
    done(error);
  }
}

/** A connection to the streaming server. */
export class SpdySession implements Disposable {
  readonly #socket: Socket;
  readonly #streams = new Map<number, SpdyStream>();
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  #nextId = 1;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      for (const stream of this.#streams.values()) {
        stream.noteOpened();
        if (!stream.readableEnded) stream.push(null);
      }
      resolve();
    });
    if (head.length > 0) this.#take(head);
  }

  /** Asks the server to switch to SPDY with one of its protocols, as in `v4.channel.k8s.io`. */
  static connect(url: URL, protocol: string, signal: AbortSignal): Promise<SpdySession> {
    const { promise, resolve, reject } = Promise.withResolvers<SpdySession>();
    const headers = { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": protocol };
    const upgrade = request(url, { method: "POST", headers, signal });
    upgrade.on("upgrade", (_response, socket, head) => {
      // Before anything is awaited: the first bytes may be there already.
      resolve(new SpdySession(asSocket(socket), head));
    });
    upgrade.on("response", (response) => {
      response.resume();
      reject(unavailable(`the runtime's streaming server answered ${response.statusCode}`));
    });
    upgrade.on("error", (error) =>
      reject(signal.aborted ? signal.reason : unavailable("the runtime's streaming server cannot be reached", error)),
    );
    upgrade.end();
    return promise;
  }

  open(headers: Readonly<Record<string, string>>): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new SpdyStream(this, id);
    this.#streams.set(id, stream);
    const ids = Buffer.alloc(10);
    ids.writeUInt32BE(id, 0);
    this.#socket.write(controlFrame(frames.synStream, 0, Buffer.concat([ids, headerBlock(headers, id === 1)])));
    return stream;
  }

  send(frame: Buffer, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) done(unavailable("the connection to the container is closed"));
    else this.#socket.write(frame, done);
  }

  forget(id: number, complete: boolean): void {
    this.#streams.delete(id);
    if (complete || this.#socket.destroyed) return;
    const body = Buffer.alloc(8);
    body.writeUInt32BE(id, 0);
    // CANCEL
    body.writeUInt32BE(5, 4);
    this.#socket.write(controlFrame(frames.reset, 0, body));
  }

  /**
   * Resolves when the server has accepted all streams. A connection that is cut before that leaves containerd (1.6)
   * with a container whose end it waits for in vain.
   */
  async accepted(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.opened));
  }

  readMore(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 8) {
      const flagsAndLength = this.#rest.readUInt32BE(4);
      const end = 8 + (flagsAndLength & 0xffffff);
      if (this.#rest.length < end) return;
      const head = this.#rest.readUInt32BE(0);
      const body = this.#rest.subarray(8, end);
      this.#rest = this.#rest.subarray(end);
      if (head < 0x80000000) this.#data(head, flagsAndLength >>> 24, body);
      else this.#control(head & 0xffff, body);
    }
  }

  #data(id: number, flags: number, data: Buffer): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (data.length > 0) stream.push(Buffer.from(data));
    if ((flags & fin) !== 0) stream.push(null);
    if (stream.readableLength > bufferLimitBytes) this.#socket.pause();
  }

  #control(type: number, body: Buffer): void {
    if (type === frames.ping) this.#socket.write(controlFrame(frames.ping, 0, body));
    else if (type === frames.synReply) this.#streams.get(body.readUInt32BE(0))?.noteOpened();
    else if (type === frames.reset) {
      const stream = this.#streams.get(body.readUInt32BE(0));
      stream?.noteOpened();
      stream?.push(null);
    }
  }
}

/** HTTP's upgrade gives the connection as a Duplex; over TCP it is a socket. */
function asSocket(stream: Duplex): Socket {
  if (!("setNoDelay" in stream)) throw unavailable("the streaming server is not reached over TCP");
  return stream as Socket;
}
