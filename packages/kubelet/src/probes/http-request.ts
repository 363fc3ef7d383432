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
}

/** The address and headers of an httpGet action. Throws for a port that is not there. */
export function httpTarget(
  action: HTTPGetAction,
  container: Pick<Container, "ports">,
  podIp: string,
): { readonly url: URL; readonly headers: Record<string, string> } {
  const port = portNumber(action.port, container);
  if (port === undefined) throw new Error(`couldn't find port: ${action.port}`);
  const host = action.host === undefined || action.host === "" ? podIp : action.host;
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const path = action.path === undefined || action.path === "" ? "/" : action.path;
  const base = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const headers: Record<string, string> = { "User-Agent": "kube-probe/1.36", Accept: "*/*" };
  for (const { name, value } of action.httpHeaders ?? []) {
    if (value === "" && /^(accept|user-agent)$/i.test(name)) delete headers[name];
    else headers[name] = value;
  }
  return { url: new URL(path.startsWith("/") ? `${base}${path}` : `${base}/${path}`), headers };
}

/** A GET with a deadline, redirects not followed, certificates not checked: the pod is trusted to be itself. */
export async function httpGet(
  target: { readonly url: URL; readonly headers: Record<string, string> },
  options: { readonly timeoutMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const { url, headers } = target;
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send(
    url,
    { headers, agent: false, rejectUnauthorized: false, signal: options.signal },
    (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, location: response.headers.location, url });
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
  const where = `dial tcp ${url.hostname}:${url.port}`;
  if (code === "ECONNREFUSED") return `${where}: connect: connection refused`;
  if (code === "EHOSTUNREACH") return `${where}: connect: no route to host`;
  if (code === "ENETUNREACH") return `${where}: connect: network is unreachable`;
  if (code === "ECONNRESET") return "read: connection reset by peer";
  return error.message;
}
