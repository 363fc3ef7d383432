import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Container, HTTPGetAction } from "@skiff/api";
import { type Clock, isAbort } from "@skiff/base";

/** The number of a port that may be named; `undefined` when the container has none of that name. */
export function portNumber(port: number | string, container: Pick<Container, "ports">): number | undefined {
  if (typeof port === "number") return port;
  const named = container.ports?.find((one) => one.name === port);
  if (named !== undefined) return named.containerPort;
  const number = Number(port);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly url: URL;
  /** The first 10 KiB of it. */
  readonly body: string;
}

export interface HttpTarget {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** What a client of HTTPS says that was answered without it. */
export const httpForHttps = "http: server gave HTTP response to HTTPS client";

/**
 * The address and headers of an httpGet action; `agent` is who asks, as in `kube-probe`. Throws for a port that is not
 * there.
 */
export function httpTarget(
  action: HTTPGetAction,
  {
    container,
    podIp,
    agent,
  }: { readonly container: Pick<Container, "ports">; readonly podIp: string; readonly agent: string },
): HttpTarget {
  const port = portNumber(action.port, container);
  if (port === undefined) throw new Error(`couldn't find port: ${action.port}`);
  const host = action.host === undefined || action.host === "" ? podIp : action.host;
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const path = action.path === undefined || action.path === "" ? "/" : action.path;
  const base = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const given = new Map<string, string[]>();
  for (const { name, value } of action.httpHeaders ?? []) {
    const key = name.toLowerCase();
    given.set(key, [...(given.get(key) ?? []), value]);
  }
  const headers: Record<string, string | string[]> = {};
  // An empty value takes away what is sent otherwise.
  for (const [name, value] of Object.entries({ "user-agent": `${agent}/1.36`, accept: "*/*" }))
    if (!given.has(name)) headers[name] = value;
  for (const [name, values] of given) {
    const [first = ""] = values;
    if (first === "" && (name === "accept" || name === "user-agent")) continue;
    headers[name] = values.length === 1 || name === "host" ? first : values;
  }
  return { url: new URL(path.startsWith("/") ? `${base}${path}` : `${base}/${path}`), headers };
}

const longestBody = 10 * 1024;
const mostRedirects = 10;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * A GET with a deadline. Redirects are followed as long as they stay with the host; one that leads elsewhere is the answer
 * itself. Certificates are not checked: the pod is trusted to be itself.
 */
export async function httpGet(
  target: HttpTarget,
  options: { readonly timeoutMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<HttpAnswer> {
  const endMs = options.clock.monotonic() + options.timeoutMs;
  let { url } = target;
  for (let hops = 0; ; hops++) {
    const timeoutMs = Math.max(0, endMs - options.clock.monotonic());
    const answer = await getOnce({ ...target, url }, { ...options, timeoutMs });
    const next =
      redirects.has(answer.status) && answer.location !== undefined ? URL.parse(answer.location, url.href) : null;
    if (next === null || next.hostname !== target.url.hostname) return answer;
    if (hops + 1 >= mostRedirects) throw new Error(`Get "${next.href}": stopped after ${mostRedirects} redirects`);
    url = next;
  }
}

async function getOnce(
  target: HttpTarget,
  options: { readonly timeoutMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const { url, headers } = target;
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send(
    url,
    { headers, agent: false, rejectUnauthorized: false, signal: options.signal },
    (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const answered = () => {
        const body = Buffer.concat(chunks).subarray(0, longestBody).toString("utf8");
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, url, body });
      };
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length < longestBody) return;
        answered();
        request.destroy();
      });
      response.on("end", answered);
    },
  );
  using _ = options.clock.after(options.timeoutMs, () => {
    const awaited = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
    reject(new Error(`Get "${url.href}": ${awaited}`));
    request.destroy();
  });
  request.on("error", (error) => {
    if (isAbort(error)) reject(options.signal.reason ?? error);
    else reject(new Error(`Get "${url.href}": ${connectText(error, url)}`, { cause: undefined }));
  });
  request.end();
  return await promise;
}

/** Connection failures in the words that operators know from Kubernetes. */
export function connectText(error: Error, url: { readonly hostname: string; readonly port: string }): string {
  const code = "code" in error ? error.code : undefined;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || (code === "EPROTO" && /wrong version number/.test(error.message)))
    return httpForHttps;
  const where = `dial tcp ${url.hostname}:${url.port}`;
  if (code === "ECONNREFUSED") return `${where}: connect: connection refused`;
  if (code === "EHOSTUNREACH") return `${where}: connect: no route to host`;
  if (code === "ENETUNREACH") return `${where}: connect: network is unreachable`;
  if (code === "ECONNRESET") return "read: connection reset by peer";
  return error.message;
}
