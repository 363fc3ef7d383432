import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { silentLogger, systemClock, VirtualClock } from "@skiff/base";
import { decode, encode } from "dns-packet";
import { exampleZone } from "../fixtures/zone.ts";
import { DnsServer } from "./dns-server.ts";
import { createUpstream, framed, type Upstream, upstreamServers } from "./forward.ts";

const cluster = "default.svc.cluster.local";
const stack = new AsyncDisposableStack();
const resolver = new Resolver({ timeout: 60_000, tries: 1 });
let server: DnsServer;

/** A resolver that knows one name. */
async function startOther(): Promise<DnsServer> {
  const upstream: Upstream = {
    async ask(message) {
      const { id = 0, questions = [] } = decode(message);
      const [question] = questions;
      const known = question?.name === "www.example.com" && question.type === "A";
      const answers = known
        ? [{ name: question.name, type: "A", ttl: 9, class: "IN", data: "192.0.2.80" } as const]
        : [];
      return encode({ type: "response", id, flags: known ? 0x180 : 0x183, questions, answers });
    },
  };
  return start(upstream);
}

const start = (upstream: Upstream) =>
  DnsServer.start({
    address: "127.0.0.1",
    port: 0,
    source: exampleZone(),
    upstream,
    clock: systemClock,
    logger: silentLogger,
  });

before(async () => {
  const other = stack.use(await startOther());
  server = stack.use(await start(createUpstream(["127.0.0.1"], systemClock, other.port)));
  resolver.setServers([`127.0.0.1:${server.port}`]);
});

after(() => stack.disposeAsync());

describe("DnsServer", () => {
  it("answers a resolver: addresses, ports, names of addresses", async () => {
    assert.deepEqual(await resolver.resolve4(`web.${cluster}`), ["10.96.0.20"]);
    const [port] = await resolver.resolveSrv(`_http._tcp.web.${cluster}`);
    assert.deepEqual([port?.name, port?.port], [`web.${cluster}`, 80]);
    assert.deepEqual(await resolver.reverse("10.96.0.20"), [`web.${cluster}`]);
    await assert.rejects(resolver.resolve4(`nobody.${cluster}`), { code: "ENOTFOUND" });
    await assert.rejects(resolver.resolve6(`web.${cluster}`), { code: "ENODATA" });
  });

  it("answers in full over a connection when a datagram is too small", async () => {
    assert.equal((await resolver.resolve4(`many.${cluster}`)).length, 200);
  });

  it("asks the node's resolver about everything else, also for names of names", async () => {
    assert.deepEqual(await resolver.resolve4("www.example.com"), ["192.0.2.80"]);
    assert.deepEqual(await resolver.resolve4(`outside.${cluster}`), ["192.0.2.80"]);
    await assert.rejects(resolver.resolve4("nobody.example.com"), { code: "ENOTFOUND" });
  });

  it("answers several questions on one connection, in pieces and all at once", async () => {
    const connection = connect(server.port, "127.0.0.1");
    const ask = (id: number) =>
      framed(encode({ type: "query", id, questions: [{ type: "A", name: `web.${cluster}`, class: "IN" }] }));
    const [first, ...rest] = [ask(1), ask(2), ask(3)];
    assert.ok(first !== undefined);
    let received = Buffer.alloc(0);
    connection.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
    });
    connection.write(first.subarray(0, 1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    connection.write(Buffer.concat([first.subarray(1), ...rest]));
    const one = 2 + 12 + 31 + 5 + 16;
    while (received.length < 3 * one - 20) await once(connection, "data");
    assert.equal(received.readUInt16BE(2), 1);
    connection.destroy();
  });

  it("refuses to start where the port is taken", async () => {
    const options = { address: "127.0.0.1", port: server.port, source: exampleZone(), clock: systemClock };
    const upstream = { ask: async () => undefined };
    await assert.rejects(DnsServer.start({ ...options, upstream, logger: silentLogger }), { code: "EADDRINUSE" });
  });

  it("says that it failed when no resolver answers", async () => {
    await using lonely = await start({ ask: async () => undefined });
    const other = new Resolver({ timeout: 60_000, tries: 1 });
    other.setServers([`127.0.0.1:${lonely.port}`]);
    await assert.rejects(other.resolve4("www.example.com"), { code: "ESERVFAIL" });
  });

  it("answers busybox", async (test) => {
    const { error, stdout } = await new Promise<{ error: Error | null; stdout: string }>((resolve) => {
      const args = ["nslookup", `web.${cluster}`, `127.0.0.1:${server.port}`];
      execFile("busybox", args, { timeout: 60_000 }, (failed, output) => resolve({ error: failed, stdout: output }));
    });
    if (error !== null && "code" in error && error.code === "ENOENT") return test.diagnostic("no busybox here");
    assert.match(stdout, /Address: 10\.96\.0\.20/);
    return undefined;
  });
});

describe("createUpstream", () => {
  it("goes on to the next resolver when one is silent or answers another question", async () => {
    const clock = new VirtualClock();
    const liar = createSocket("udp4");
    await new Promise<void>((resolve) => liar.bind(0, "127.0.0.1", resolve));
    liar.on("message", (message, from) => liar.send(Buffer.alloc(message.length), from.port, from.address));
    const question = encode({ type: "query", id: 77, questions: [{ type: "A", name: "a.example", class: "IN" }] });
    const asked = createUpstream(["127.0.0.1", "127.0.0.1"], clock, liar.address().port).ask(question, "udp");
    let done = false;
    void asked.then(() => {
      done = true;
    });
    await clock.advance(1_900);
    assert.equal(done, false);
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await clock.advance(2_000);
    }
    assert.equal(await asked, undefined);
    liar.close();
  });

  it("reads resolv.conf, without servers that would lead back", () => {
    const text =
      "# nameserver 1.1.1.1\nsearch example.com\nnameserver 192.0.2.1\n  nameserver fe80::1\nnameserver 10.42.0.1\n";
    assert.deepEqual(upstreamServers(text, ["10.42.0.1"]), ["192.0.2.1", "fe80::1"]);
    assert.deepEqual(upstreamServers("", []), []);
  });
});
