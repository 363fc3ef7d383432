import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ConfigMaps, Endpoints, Leases, Nodes, ReplicaSets } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { type Client, createClient, httpsTransport } from "@skiff/client";
import { EtcdProcess, freePort } from "@skiff/store/etcd-process";

const main = join(import.meta.dirname, "../src/main.ts");
const namespace = "default";
const { signal } = new AbortController();

interface Served {
  readonly child: ChildProcess;
  readonly client: Client;
  readonly port: number;
  log(): string;
}

/** Runs `skiff server` and waits until it is ready. */
async function start(
  home: string,
  etcd: string,
  flags: readonly string[],
  stack: AsyncDisposableStack,
): Promise<Served> {
  const port = await freePort();
  const words = ["server", "--home", home, "--runtime", "simulated", "--api-port", `${port}`];
  const child = spawn(process.execPath, [main, ...words, "--datastore-endpoints", etcd, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  stack.defer(() => end(child, "SIGKILL"));
  await eventually(60, `the server on ${port} listens`, async () => {
    assert.equal(child.exitCode, null, log);
    return log.includes("listens");
  });
  const pem = (name: string) => readFile(join(home, "default", "pki", name), "utf8");
  const [ca, cert, key] = await Promise.all(["ca.crt", "admin.crt", "admin.key"].map(pem));
  const endpoint = `https://127.0.0.1:${port}`;
  const transport = stack.use(
    httpsTransport({ endpoint, ca: ca ?? "", cert: cert ?? "", key: key ?? "", clock: systemClock }),
  );
  return { child, port, client: createClient(transport), log: () => log };
}

async function end(child: ChildProcess, how: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(how);
  await exited;
}

async function eventually(seconds: number, what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `never came true: ${what}`);
    await setTimeout(200);
  }
}

async function portsOf({ client }: Served): Promise<readonly number[]> {
  const { subsets = [] } = await client.get(Endpoints, { namespace, name: "kubernetes" }, { signal });
  return subsets.flatMap(({ ports = [] }) => ports.map(({ port }) => port));
}

const leader = async ({ client }: Served): Promise<string | undefined> =>
  (await client.get(Leases, { namespace: "kube-system", name: "kube-controller-manager" }, { signal })).spec
    .holderIdentity;

it("two servers on one etcd are one cluster; when one is killed, the other goes on with everything", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-two-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const etcd = stack.use(await EtcdProcess.start({ folder }));
  const [home, otherHome] = [join(folder, "one"), join(folder, "other")];
  const one = await start(home, etcd.url, [], stack);
  // Whoever does not know the token gets no key of the cluster.
  await assert.rejects(start(join(folder, "stranger"), etcd.url, [], stack), /another token/);
  const token = join(home, "default", "token");
  const other = await start(otherHome, etcd.url, ["--token-file", token], stack);
  const both = [one.port, other.port].sort((a, b) => a - b);
  await eventually(10, "both are endpoints of the Service", async () => `${await portsOf(one)}` === `${both}`);
  await eventually(10, "one of them leads", async () => (await leader(other)) !== undefined);
  const first = await leader(other);

  // Two machines that would both like the first range.
  const wish = { "skiff.dev/pod-cidr": "10.42.0.0/24" };
  const machines = [one, other].map(({ client }, at) =>
    client.create(Nodes, { metadata: { name: `machine-${at}`, annotations: wish }, spec: {} }, { signal }),
  );
  await Promise.all(machines);
  await eventually(10, "each machine has a range of its own", async () => {
    const { items } = await one.client.list(Nodes, { signal });
    const ranges = items.flatMap(({ spec }) => (spec.podCIDR === undefined ? [] : [spec.podCIDR])).sort();
    return `${ranges}` === "10.42.0.0/24,10.42.1.0/24";
  });

  const seen = new Set<string>();
  const stop = new AbortController();
  void (async () => {
    for await (const { type, object } of other.client.watch(ConfigMaps, { namespace, signal: stop.signal })) {
      if (type === "ADDED") seen.add(object.metadata.name);
    }
  })().catch(() => {});
  const acknowledged: string[] = [];
  const write = async (writer: number): Promise<void> => {
    for (let index = 0; ; index++) {
      const name = `w${writer}-${index}`;
      try {
        await one.client.create(ConfigMaps, { metadata: { name, namespace } }, { signal });
      } catch {
        return;
      }
      acknowledged.push(name);
    }
  };
  const writing = Promise.all([0, 1, 2, 3].map(write));
  await setTimeout(1_000);
  await end(one.child, "SIGKILL");
  await writing;
  assert.ok(acknowledged.length > 20, `${acknowledged.length} writes`);
  const { items } = await other.client.list(ConfigMaps, { namespace, signal });
  const names = new Set(items.map(({ metadata }) => metadata.name));
  assert.deepEqual(
    acknowledged.filter((name) => !names.has(name)),
    [],
  );
  await eventually(5, "the watch has told of all of them", async () => acknowledged.every((name) => seen.has(name)));

  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "web" }] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  await other.client.create(ReplicaSets, { metadata: { name: "web", namespace }, spec }, { signal });
  await eventually(40, "the other leads", async () => (await leader(other)) !== first);
  await eventually(10, "its controllers work", async () => {
    const set = await other.client.get(ReplicaSets, { namespace, name: "web" }, { signal });
    return set.status?.replicas === 2;
  });
  await eventually(
    20,
    "the dead one is no endpoint any more",
    async () => `${await portsOf(other)}` === `${other.port}`,
  );
  assert.doesNotMatch(other.log(), /ERROR/);
  stop.abort();
});
