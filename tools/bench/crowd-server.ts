/**
 * The server that `crowd.ts` measures. Makes `count` small ConfigMaps where they are not there yet, prints its port and its
 * authority's certificate as one line of JSON and runs until its standard input ends.
 */
import { testAuthority } from "../../packages/apiserver/src/fixtures/test-certificates.ts";
import { adminUser, testServer } from "../../packages/apiserver/src/fixtures/test-server.ts";
import { createLogger, systemClock } from "../../packages/base/src/index.ts";
import { openLmdbStore } from "../../packages/store/src/index.ts";

const [folder = "", count = "0"] = process.argv.slice(2);
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
const namespaces = server.table.find({ group: "", version: "v1", plural: "namespaces" });
if (namespaces?.peek({ name: "default" }) === undefined) {
  await transport.send({ ...core, plural: "namespaces", body: { metadata: { name: "default" } } }, signal);
  const maps = { ...core, plural: "configmaps", namespace: "default" };
  for (let begun = 0; begun < Number(count); begun += 500) {
    const names = Array.from({ length: 500 }, (_, index) => `map-${begun + index}`);
    const body = (name: string) => ({ metadata: { name, labels: { app: "bench" } }, data: { text: "x".repeat(200) } });
    await Promise.all(names.map((name) => transport.send({ ...maps, body: body(name) }, signal)));
  }
}
process.stdout.write(`${JSON.stringify({ port: listener.port, ca: authority.ca })}\n`);
process.stdin.resume();
await new Promise<void>((resolve) => process.stdin.once("end", resolve));
