import { createServer, type Server } from "node:http";
import type { Service } from "@skiff/api";
import { describeError, type Logger } from "@skiff/base";

interface Answering {
  readonly port: number;
  readonly server: Server;
  localEndpoints: number;
}

/**
 * Tells load balancers whether this node has endpoints of a Service whose external traffic stays on the node: each such
 * Service has a port for that. https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/
 */
export class HealthChecks implements Disposable {
  readonly #logger: Logger;
  readonly #isHealthy: () => boolean;
  /** By `namespace/name` of the Service. */
  readonly #answering = new Map<string, Answering>();

  /** `isHealthy`: whether this node's rules can be relied upon. */
  constructor(options: { readonly logger: Logger; readonly isHealthy: () => boolean }) {
    this.#logger = options.logger;
    this.#isHealthy = options.isHealthy;
  }

  /** A Service is as told, or is gone. */
  put(owner: string, service: Service | undefined, localEndpoints: number): void {
    const port = service === undefined ? undefined : healthCheckPort(service);
    const before = this.#answering.get(owner);
    if (before !== undefined && before.port === port) {
      before.localEndpoints = localEndpoints;
      return;
    }
    before?.server.close();
    before?.server.closeAllConnections();
    this.#answering.delete(owner);
    if (port !== undefined) this.#open(owner, port, localEndpoints);
  }

  [Symbol.dispose](): void {
    for (const owner of [...this.#answering.keys()]) this.put(owner, undefined, 0);
  }

  #open(owner: string, port: number, localEndpoints: number): void {
    const [namespace = "", name = ""] = owner.split("/");
    const server = createServer((_, response) => {
      const healthy = this.#isHealthy();
      const count = answering.localEndpoints;
      const report = { service: { namespace, name }, localEndpoints: count, serviceProxyHealthy: healthy };
      response.writeHead(count > 0 && healthy ? 200 : 503, {
        "Content-Type": "application/json",
        "X-Content-Type-Options": "nosniff",
        "X-Load-Balancing-Endpoint-Weight": String(count),
      });
      response.end(JSON.stringify(report, undefined, "\t"));
    });
    const answering: Answering = { port, server, localEndpoints };
    server.on("error", (error) => {
      this.#logger.warn(`cannot answer health checks of Service ${owner} at port ${port}: ${describeError(error)}`);
      // The next change of the Service tries anew.
      if (this.#answering.get(owner) === answering) this.#answering.delete(owner);
    });
    this.#answering.set(owner, answering);
    server.listen(port);
    // It is the node that keeps the process, not whoever asks it.
    server.unref();
  }
}

function healthCheckPort({ spec }: Service): number | undefined {
  const asked = spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
  return asked && spec.healthCheckNodePort ? spec.healthCheckNodePort : undefined;
}
