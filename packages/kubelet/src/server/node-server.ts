import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { Background, describeError } from "@skiff/base";
import type { NodeServerOptions } from "../options.ts";
import { authenticate } from "./authenticate.ts";
import { serveLogs } from "./serve-logs.ts";
import { refuseUpgrade, UpgradeServer } from "./serve-upgrade.ts";
import { resourceMetrics, statsSummary } from "./stats.ts";
import { RequestFailure, type ServerContext } from "./target.ts";

/** The node's HTTPS server: logs, exec, attach, port-forward, statistics. */
export interface NodeServer extends AsyncDisposable {
  readonly port: number;
}

const refusals = {
  unauthorized: { code: 401, message: "Unauthorized" },
  forbidden: { code: 403, message: "Forbidden: this certificate may not use the node's server" },
} as const;

/** Starts listening; only clients with a certificate of the cluster are heard. */
export async function startNodeServer(options: NodeServerOptions & ServerContext): Promise<NodeServer> {
  const { logger } = options.parts;
  const background = new Background({ logger });
  const upgrades = new UpgradeServer(options);
  const server = createServer({
    cert: options.cert,
    key: options.key,
    ca: options.clientCa,
    requestCert: true,
    // Whoever has none is told so in HTTP.
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
  });
  server.on("request", (request, response) => {
    background.run("request", (signal) => answer(options, request, response, signal));
  });
  // Connections that became streams are no longer the server's to close.
  const streams = new Set<Duplex>();
  server.on("upgrade", (request, socket, head) => {
    streams.add(socket);
    socket.once("close", () => streams.delete(socket));
    const verdict = authenticate(request);
    if (verdict !== "allowed") return refuseUpgrade(socket, refusals[verdict].code, refusals[verdict].message);
    background.run("stream", (signal) => upgrades.serve({ request, socket, head }, signal));
  });
  server.on("tlsClientError", () => {});
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options.port, options.address, resolve);
  await promise;
  server.on("error", (error) => logger.warn(`node server: ${describeError(error)}`));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      for (const stream of streams) stream.destroy();
      await background[Symbol.asyncDispose]();
      await closed.promise;
    },
  };
}

function send(response: ServerResponse, code: number, body: { readonly type: string; readonly text: string }): void {
  response.writeHead(code, { "Content-Type": body.type, "Content-Length": Buffer.byteLength(body.text) });
  response.end(body.text);
}

async function answer(
  context: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  try {
    const verdict = authenticate(request);
    if (verdict !== "allowed") throw new RequestFailure(refusals[verdict].code, refusals[verdict].message);
    await route(context, request, response, signal);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else
      send(response, error instanceof RequestFailure ? error.code : 500, {
        type: "text/plain; charset=utf-8",
        text: describeError(error),
      });
  }
}

async function route(
  context: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const url = new URL(request.url ?? "/", "https://node");
  const [first = "", ...rest] = url.pathname.split("/").slice(1).map(decodeURIComponent);
  const json = (value: unknown) => send(response, 200, { type: "application/json", text: JSON.stringify(value) });
  switch (first) {
    case "healthz":
      return send(response, 200, { type: "text/plain; charset=utf-8", text: "ok" });
    case "pods":
      return json({ kind: "PodList", apiVersion: "v1", metadata: {}, items: context.pods()?.list() ?? [] });
    case "containerLogs":
      return serveLogs(context, request, response, { path: rest, query: url.searchParams });
    case "stats":
      if (rest[0] === "summary") return json(await statsSummary(context.parts, signal));
      break;
    case "metrics":
      if (rest[0] === "resource")
        return send(response, 200, {
          type: "text/plain; version=0.0.4",
          text: await resourceMetrics(context.parts, signal),
        });
      break;
    case "exec":
    case "attach":
    case "portForward":
      throw new RequestFailure(400, "unable to upgrade: missing upgrade headers in request");
  }
  throw new RequestFailure(404, "404 page not found");
}
