/** Plain HTTPS requests of an API server, as badly formed as a test wants them. */
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { parse } from "yaml";
import type { Workbench } from "../story/workbench.ts";

/** PEM texts by which a client and a server know each other. */
export interface Credentials {
  readonly ca: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** What is sent. `body` is sent as it stands: text, bytes, or a value that becomes JSON. */
export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What came back; the fields of a `Status` for the table tests. */
export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly reason: string | undefined;
  readonly message: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly json: any;
}

/** Calls one server with one set of credentials. */
export class ApiCaller {
  readonly port: number;
  readonly credentials: Credentials;

  constructor(port: number, credentials: Credentials) {
    this.port = port;
    this.credentials = credentials;
  }

  /** The administrator of a workbench's cluster, as its kubeconfig says. */
  static async admin(bench: Workbench): Promise<ApiCaller> {
    const config = parse((await bench.skiff("kubeconfig")).stdout);
    const decoded = (text: string) => Buffer.from(text, "base64").toString();
    const { server, "certificate-authority-data": ca } = config.clusters[0].cluster;
    const { "client-certificate-data": cert, "client-key-data": key } = config.users[0].user;
    return new ApiCaller(Number(new URL(server).port), { ca: decoded(ca), cert: decoded(cert), key: decoded(key) });
  }

  /** The same server by somebody else. */
  as(cert: string | undefined, key: string | undefined): ApiCaller {
    return new ApiCaller(this.port, { ca: this.credentials.ca, cert, key });
  }

  call({ method, path, headers = {}, body }: Call): Promise<Answer> {
    const sent = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: this.port,
        path,
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: { ...(sent === undefined ? {} : { "content-length": Buffer.byteLength(sent) }), ...headers },
        agent: false,
        timeout: 20_000,
        ...this.credentials,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const json = parsed(text);
          resolve({
            code: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            reason: json?.reason,
            message: typeof json?.message === "string" ? json.message : text,
            json,
          });
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer to ${method ?? ""} ${path}`)));
    outgoing.on("error", reject);
    outgoing.end(sent);
    return promise;
  }
}

function parsed(text: string): Answer["json"] {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
