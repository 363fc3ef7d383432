/*
 * The cheapest client that puts keys into etcd: gRPC is HTTP/2 with a five-byte frame around each message, and a put's
 * answer need not be decoded. A general gRPC library costs more than etcd itself and would measure the library.
 */
import { type ClientHttp2Session, connect, constants } from "node:http2";

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_CONTENT_TYPE } = constants;
const headers = {
  [HTTP2_HEADER_METHOD]: "POST",
  [HTTP2_HEADER_PATH]: "/etcdserverpb.KV/Put",
  [HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  te: "trailers",
};

/** A connection to an etcd. */
export class EtcdClient implements Disposable {
  readonly #session: ClientHttp2Session;

  /** `address` is `host:port`. */
  constructor(address: string) {
    this.#session = connect(`http://${address}`, { settings: { initialWindowSize: 1 << 20 } });
    // Each put that fails because of it says so.
    this.#session.on("error", () => {});
  }

  /** Resolves when etcd has answered that the value is on its disk. */
  put(key: string, value: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stream = this.#session.request(headers);
    let status: unknown;
    // A failure comes in the headers, a success in the trailers.
    stream.on("response", (answer) => (status ??= answer["grpc-status"]));
    stream.on("trailers", (trailers) => (status ??= trailers["grpc-status"]));
    stream.on("error", reject);
    stream.on("close", () => (status === "0" ? resolve() : reject(new Error(`etcd answered with status ${status}`))));
    stream.resume();
    stream.end(putRequest(Buffer.from(key), value));
    return promise;
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

/** `PutRequest { bytes key = 1; bytes value = 2; }` in its frame. */
function putRequest(key: Buffer, value: Buffer): Buffer {
  const message = Buffer.concat([Buffer.of(0x0a), lengthOf(key), key, Buffer.of(0x12), lengthOf(value), value]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** A length below 16,384 as protobuf's variable-length number. */
const lengthOf = ({ length }: Buffer): Buffer =>
  length < 0x80 ? Buffer.of(length) : Buffer.of((length & 0x7f) | 0x80, length >> 7);
