import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { createServer } from "node:net";
import { test } from "node:test";
import { silentLogger } from "@skiff/base";
import { service } from "../fixtures/objects.ts";
import { HealthChecks } from "./health-checks.ts";

/** Below those that the system gives to whoever asks for any, and elsewhere in each process: nobody takes them meanwhile. */
let lastPort = 20_000 + (process.pid % 10_000);

async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(++lastPort);
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return lastPort;
  }
}

/** Asks until somebody answers: a port is opened a moment after it was asked for. */
async function ask(
  port: number,
): Promise<{ readonly status: number; readonly body: unknown; readonly weight: unknown }> {
  for (;;) {
    try {
      const request = get({ port, agent: false });
      const [response] = await once(request, "response");
      let text = "";
      for await (const chunk of response) text += chunk;
      const weight = response.headers["x-load-balancing-endpoint-weight"];
      return { status: response.statusCode, body: JSON.parse(text), weight };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ECONNREFUSED")) throw error;
    }
  }
}

test("a load balancer learns whether the node has endpoints", async () => {
  const port = await freePort();
  let healthy = true;
  using checks = new HealthChecks({ logger: silentLogger, isHealthy: () => healthy });
  const balanced = service("web", {
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    healthCheckNodePort: port,
  });
  checks.put("default/web", balanced, 2);
  const body = { service: { namespace: "default", name: "web" }, localEndpoints: 2, serviceProxyHealthy: true };
  assert.deepEqual(await ask(port), { status: 200, body, weight: "2" });
  healthy = false;
  assert.deepEqual(await ask(port), { status: 503, body: { ...body, serviceProxyHealthy: false }, weight: "2" });
  healthy = true;
  checks.put("default/web", balanced, 0);
  assert.deepEqual(await ask(port), { status: 503, body: { ...body, localEndpoints: 0 }, weight: "0" });
});

const silent = [
  { what: "is gone", now: undefined },
  { what: "has another policy", now: service("web", { type: "LoadBalancer", externalTrafficPolicy: "Cluster" }) },
  { what: "is no load balancer any more", now: service("web", { type: "NodePort", externalTrafficPolicy: "Local" }) },
];

for (const { what, now } of silent) {
  test(`nobody answers for a Service that ${what}`, async () => {
    const port = await freePort();
    using checks = new HealthChecks({ logger: silentLogger, isHealthy: () => true });
    const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: port };
    checks.put("default/web", service("web", spec), 1);
    assert.equal((await ask(port)).status, 200);
    checks.put("default/web", now, 1);
    const request = get({ port, agent: false });
    const [error] = await once(request, "error");
    assert.equal(error.code, "ECONNREFUSED");
  });
}
