// A server to drive by hand.
import { writeFileSync } from "node:fs";
import { testAuthority } from "../packages/apiserver/src/fixtures/test-certificates.ts";
import { adminUser, testServer } from "../packages/apiserver/src/fixtures/test-server.ts";
import { createLogger, systemClock } from "../packages/base/src/index.ts";
import { openLmdbStore, openMemoryStore } from "../packages/store/src/index.ts";

const folder = process.argv[2] ?? "/tmp/apidev";
const port = Number(process.argv[3] ?? 7443);
const engine = process.argv[4] ?? "memory";
const logger = createLogger({ clock: systemClock, level: "debug", write: (line) => process.stderr.write(`${line}\n`) });
const authority = await testAuthority();
const store =
  engine === "lmdb"
    ? await openLmdbStore({ folder: `${folder}/store`, clock: systemClock, logger })
    : openMemoryStore({ clock: systemClock });
const server = await testServer({ logger, store });
const listener = await server.listen({
  host: "127.0.0.1",
  port,
  tls: { ...(await authority.server()), ca: authority.ca },
});
const admin = await authority.client("admin", ["system:masters"]);
const b64 = (t: string) => Buffer.from(t).toString("base64");
writeFileSync(`${folder}/ca.crt`, authority.ca);
writeFileSync(`${folder}/admin.crt`, admin.cert);
writeFileSync(`${folder}/admin.key`, admin.key);
writeFileSync(
  `${folder}/kubeconfig`,
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "d",
    clusters: [
      {
        name: "d",
        cluster: { server: `https://127.0.0.1:${listener.port}`, "certificate-authority-data": b64(authority.ca) },
      },
    ],
    users: [{ name: "d", user: { "client-certificate-data": b64(admin.cert), "client-key-data": b64(admin.key) } }],
    contexts: [{ name: "d", context: { cluster: "d", user: "d" } }],
  }),
);
const transport = server.transport(adminUser);
const signal = new AbortController().signal;
for (const name of ["default", "kube-system"]) {
  await transport
    .send({ group: "", version: "v1", plural: "namespaces", verb: "create", body: { metadata: { name } } }, signal)
    .catch((e) => console.error(String(e)));
  await transport
    .send(
      {
        group: "",
        version: "v1",
        plural: "serviceaccounts",
        namespace: name,
        verb: "create",
        body: { metadata: { name: "default" } },
      },
      signal,
    )
    .catch((e) => console.error(String(e)));
}
console.log(`ready on ${listener.port}`);
process.on("SIGTERM", async () => {
  const t = performance.now();
  await server[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  console.log("stopped", performance.now() - t);
  process.exit(0);
});
