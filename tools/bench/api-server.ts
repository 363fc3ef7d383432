/**
 * The server that `api.ts` measures: a process of its own, so that it can be held to one core. Prints its port and its
 * authority's certificate as one line of JSON and runs until its standard input ends.
 */

import { isAlreadyExists } from "../../packages/api/src/index.ts";
import { testAuthority } from "../../packages/apiserver/src/fixtures/test-certificates.ts";
import { adminUser, testServer } from "../../packages/apiserver/src/fixtures/test-server.ts";
import { createLogger, systemClock } from "../../packages/base/src/index.ts";
import { openLmdbStore } from "../../packages/store/src/index.ts";

const [folder = "", podCount = "0"] = process.argv.slice(2);
const logger = createLogger({
  clock: systemClock,
  level: "warn",
  write: (line) => void process.stderr.write(`${line}\n`),
});
const authority = await testAuthority();
await using store = await openLmdbStore({ folder, clock: systemClock, logger });
await using server = await testServer({ logger, store, staticTokens: new Map([["bench", adminUser]]) });
const tls = { ...(await authority.server()), ca: authority.ca };
await using listener = await server.listen({ host: "127.0.0.1", port: 0, tls });

const transport = server.transport(adminUser);
const signal = new AbortController().signal;
const core = { group: "", version: "v1", verb: "create" } as const;
/** A server that starts on what another left has these already. */
const unlessThere = (error: unknown): void => {
  if (!isAlreadyExists(error)) throw error;
};
const body = { metadata: { name: "default" } };
await transport.send({ ...core, plural: "namespaces", body }, signal).catch(unlessThere);
const accounts = { ...core, plural: "serviceaccounts", namespace: "default" };
await transport.send({ ...accounts, body }, signal).catch(unlessThere);
const pods = { ...core, plural: "pods", namespace: "default" };
const spec = {
  containers: [
    {
      name: "web",
      image: "registry.example.com/web:1.2.3",
      ports: [{ containerPort: 80 }],
      env: [{ name: "A", value: "b" }],
      resources: { requests: { cpu: "100m", memory: "64Mi" } },
    },
  ],
};
for (let begun = 0; begun < Number(podCount); begun += 100) {
  const names = Array.from({ length: 100 }, (_, index) => `pod-${begun + index}`);
  await Promise.all(
    names.map((name) =>
      transport.send({ ...pods, body: { metadata: { name, labels: { app: "web", tier: "front" } }, spec } }, signal),
    ),
  );
}
process.stdout.write(`${JSON.stringify({ port: listener.port, ca: authority.ca })}\n`);
process.stdin.resume();
await new Promise<void>((resolve) => process.stdin.once("end", resolve));
