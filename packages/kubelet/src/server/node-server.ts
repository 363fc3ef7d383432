import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { Background, describeError } from "@skiff/base";
import { CsiClient, controllerFolder } from "@skiff/csi";
import type { NodeServerOptions } from "../options.ts";
import { NodeAccess } from "./access.ts";
import { cadvisorMetrics } from "./cadvisor-metrics.ts";
import { configz } from "./configz.ts";
import { nodeMetrics, runningPods } from "./node-metrics.ts";
import { health, refuseCheckpoint, runCommand } from "./other-paths.ts";
import { proberMetrics } from "./prober-metrics.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import { serveLogs } from "./serve-logs.ts";
import { serveStorageDriver } from "./serve-storage-driver.ts";
import { refuseUpgrade, UpgradeServer } from "./serve-upgrade.ts";
import { statsSummary } from "./stats.ts";
import { RequestFailure, type ServerContext } from "./target.ts";
import { volumeMetrics } from "./volume-metrics.ts";

/** The node's HTTPS server: logs, exec, attach, port-forward, statistics. */
export interface NodeServer extends AsyncDisposable {
  readonly port: number;
}

/** As much as Go's servers read: commands to run are part of the address. */
const maxHeaderBytes = 1024 * 1024;

/** Starts listening; who asks is known by certificate or token, and the API server says whether they may. */
export async function startNodeServer(options: NodeServerOptions & ServerContext): Promise<NodeServer> {
  const { logger, client, clock, configuration, node } = options.parts;
  const access = new NodeAccess({ client, clock, configuration, nodeName: node.name });
  const background = new Background({ logger });
  const upgrades = new UpgradeServer(options);
  const { storageDriverSocket: socket } = options;
  const driver = socket === undefined ? undefined : new CsiClient(socket, clock);
  const server = createServer({
    cert: options.cert,
    key: options.key,
    ca: options.clientCa,
    requestCert: true,
    // Whoever has none is told so in HTTP.
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    maxHeaderSize: maxHeaderBytes,
  });
  server.on("request", (request, response) => {
    background.run("request", (signal) => answer({ ...options, access, driver }, request, response, signal));
  });
  // Connections that became streams are no longer the server's to close.
  const streams = new Set<Duplex>();
  server.on("upgrade", (request, socket, head) => {
    streams.add(socket);
    socket.once("close", () => streams.delete(socket));
    background.run("stream", async (signal) => {
      socket.on("error", () => socket.destroy());
      try {
        await access.check(request, signal);
      } catch (error) {
        const code = error instanceof RequestFailure ? error.code : 500;
        return refuseUpgrade(socket, code, describeError(error));
      }
      await upgrades.serve({ request, socket, head }, signal);
    });
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
      driver?.[Symbol.dispose]();
      await closed.promise;
    },
  };
}

function send(response: ServerResponse, code: number, body: { readonly type: string; readonly text: string }): void {
  response.writeHead(code, { "Content-Type": body.type, "Content-Length": Buffer.byteLength(body.text) });
  response.end(body.text);
}

interface Answering extends ServerContext {
  readonly driver: CsiClient | undefined;
}

async function answer(
  context: Answering & { readonly access: NodeAccess },
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  try {
    await context.access.check(request, signal);
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

/** Paths that let people look into pods, and can be turned off. */
const debugging: ReadonlySet<string> = new Set([
  "containerLogs",
  "exec",
  "attach",
  "portForward",
  "runningpods",
  "configz",
  "checkpoint",
  "debug",
  "run",
  "logs",
]);

async function metrics(
  { parts }: ServerContext,
  response: ServerResponse,
  { kind, signal }: { readonly kind: string; readonly signal: AbortSignal },
): Promise<void> {
  const texts: Readonly<Record<string, () => string | Promise<string>>> = {
    "": async () => nodeMetrics(parts) + (await volumeMetrics(parts, signal)),
    resource: () => resourceMetrics(parts, signal),
    cadvisor: () => cadvisorMetrics(parts, signal),
    probes: () => proberMetrics(parts.probeCounts.list()),
  };
  const text = texts[kind];
  if (text === undefined) throw new RequestFailure(404, "404 page not found");
  send(response, 200, { type: "text/plain; version=0.0.4; charset=utf-8", text: await text() });
}

async function route(
  context: Answering,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const url = new URL(request.url ?? "/", "https://node");
  const [first = "", ...rest] = url.pathname.split("/").slice(1).map(decodeURIComponent);
  const { enableDebuggingHandlers } = context.parts.configuration;
  if (debugging.has(first) && !enableDebuggingHandlers) throw new RequestFailure(405, "Debug endpoints are disabled.");
  const json = (value: unknown) => send(response, 200, { type: "application/json", text: JSON.stringify(value) });
  const plain = (text: string) => send(response, 200, { type: "text/plain; charset=utf-8", text });
  switch (first) {
    case "healthz":
      return plain(health(rest));
    case "pods":
      return json({ kind: "PodList", apiVersion: "v1", metadata: {}, items: context.pods()?.list() ?? [] });
    case "containerLogs":
      return serveLogs(context, request, response, { path: rest, query: url.searchParams, signal });
    case "stats":
      if (rest[0] === "summary") return json(await statsSummary(context.parts, signal));
      break;
    case "metrics":
      return metrics(context, response, { kind: rest.join("/"), signal });
    case "runningpods":
      return json(runningPods(context.parts));
    case "configz":
      return json(configz(context.parts.configuration));
    case "logs":
      throw new RequestFailure(405, "logs endpoint is disabled.");
    case "debug":
      throw new RequestFailure(405, "profiling endpoint is disabled.");
    case "checkpoint":
      return refuseCheckpoint(context, request, rest);
    case "run":
      return plain(await runCommand(context, { request, path: rest, query: url.searchParams }, signal));
    case controllerFolder:
      return serveStorageDriver(context.driver, request, response, { path: url.pathname, signal });
    case "exec":
    case "attach":
    case "portForward":
      throw new RequestFailure(400, "unable to upgrade: missing upgrade headers in request");
  }
  throw new RequestFailure(404, "404 page not found");
}
