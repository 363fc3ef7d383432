import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemClock } from "@skiff/base";
import { defaultConfiguration } from "../config/kubelet-configuration.ts";
import { TestAuthority } from "../fixtures/certificates.ts";
import { ChannelClient } from "../fixtures/channel-client.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";
import { NodeClient } from "../fixtures/node-client.ts";
import { SpdyClient } from "../fixtures/spdy-client.ts";

const { signal } = new AbortController();
/** So long that no other test is silent for it, however busy the machine is. */
const idleMs = 8000;
let machine: ContainerdNode;
let admin: NodeClient;

before(async () => {
  const authority = await TestAuthority.create();
  const server = { address: "127.0.0.1", port: 0, ...(await authority.sign("CN=node")), clientCa: authority.cert };
  const configuration = { ...defaultConfiguration, streamingConnectionIdleTimeoutMs: idleMs };
  machine = await startContainerdNode(server, configuration);
  const certificate = await authority.sign("O=system:masters,CN=kube-apiserver-kubelet-client");
  admin = new NodeClient(machine.node.kubelet?.port ?? 0, certificate);
  const command = ["sh", "-c", "while read line; do echo got $line; done; sleep 3600"];
  machine.node.create("web", {});
  machine.node.create("reader", { containers: [{ name: "main", image: "skiff/hello:1", command, stdin: true }] });
  const running = () => ["web", "reader"].every((name) => machine.node.pod(name)?.status.phase === "Running");
  while (!running()) await systemClock.sleep(10, signal);
});
after(async () => {
  await machine[Symbol.asyncDispose]();
});

const exec = (script: string, streams: string) =>
  `/exec/default/web/main?command=sh&command=-c&command=${encodeURIComponent(script)}&${streams}`;

const failed = "command terminated with non-zero exit code: exit status 3";
const failedStatus = {
  metadata: {},
  status: "Failure",
  message: failed,
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: "3" }] },
};
/** Says how large the terminal is, once it is no longer what it was. */
const waitForSize = "until stty size 2>/dev/null | grep -q '33 77'; do sleep 0.05; done; stty size; exit 3";

const spdyVersions = ["channel.k8s.io", "v2.channel.k8s.io", "v3.channel.k8s.io", "v4.channel.k8s.io"];
const channelVersions = ["channel.k8s.io", "base64.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"];
const newest = "v5.channel.k8s.io";
const hasStatus = (version: string) => /^v[45]/.test(version);

describe("streams over SPDY", () => {
  for (const version of spdyVersions)
    it(`carries a command in ${version}: input to its end, both outputs, the exit`, async () => {
      const path = exec("cat; echo err >&2; exit 3", "input=1&output=1&error=1");
      using client = await SpdyClient.connect(admin, path, [version]);
      assert.match(client.answer, /^HTTP\/1\.1 101 /);
      assert.ok(client.answer.toLowerCase().includes(`x-stream-protocol-version: ${version}`), client.answer);
      const [error = 0, stdin = 0, stdout = 0, stderr = 0] = ["error", "stdin", "stdout", "stderr"].map((streamtype) =>
        client.open({ streamtype }),
      );
      client.send(stdin, "one ", { last: false });
      client.send(stdin, "two", { last: true });
      assert.equal(await client.whole(stdout), "one two");
      assert.equal(await client.whole(stderr), "err\n");
      const told = await client.whole(error);
      // The runtime's own server speaks here. In the first version it ends the stream before it would tell anything.
      const message = "command terminated with non-zero exit code: error executing command";
      if (version === "channel.k8s.io") assert.equal(told, "");
      else if (!hasStatus(version)) assert.ok(told.startsWith(message) && told.endsWith("exit code 3"), told);
      else assert.deepEqual({ ...JSON.parse(told), message: failed }, failedStatus);
    });

  for (const version of spdyVersions.slice(2))
    it(`resizes a terminal in ${version}`, async () => {
      using client = await SpdyClient.connect(admin, exec(waitForSize, "input=1&output=1&tty=1"), [version]);
      const streams = ["error", "stdin", "stdout", "resize"].map((streamtype) => client.open({ streamtype }));
      const [error = 0, , stdout = 0, resize = 0] = streams;
      client.send(resize, '{"Width":77,"Height":33}', { last: false });
      assert.equal(await client.whole(stdout), "33 77\r\n");
      assert.match(await client.whole(error), /exit code 3/);
    });

  it("takes the best version of those that are offered, and wants one to be", async () => {
    const path = exec("true", "output=1");
    using several = await SpdyClient.connect(admin, path, [newest, ...spdyVersions.toReversed()]);
    assert.match(several.answer, /x-stream-protocol-version: v4\.channel\.k8s\.io/i);
    using none = await SpdyClient.connect(admin, path, []);
    assert.match(none.answer, /^HTTP\/1\.1 400 /);
    using unknown = await SpdyClient.connect(admin, path, ["v9.channel.k8s.io"]);
    assert.match(unknown.answer, /^HTTP\/1\.1 403 /);
  });

  it("forwards a port, and says why it cannot", async () => {
    using client = await SpdyClient.connect(admin, "/portForward/default/web", ["portforward.k8s.io"]);
    const pair = (port: string, requestid: string) =>
      ["error", "data"].map((streamtype) => client.open({ streamtype, port, requestid }));
    const [, data = 0] = pair("80", "0");
    client.send(data, "GET / HTTP/1.0\r\n\r\n", { last: false });
    assert.match(await client.whole(data), /^HTTP\/1\.[01] 200 OK/);
    const [refused = 0] = pair("81", "1");
    assert.match(await client.whole(refused), /connection refused/i);
  });
});

describe("streams over WebSockets", () => {
  for (const version of [...channelVersions, newest])
    it(`carries a command in ${version}: input, both outputs, the exit`, async () => {
      const path = exec("read line; echo $line; echo err >&2; exit 3", "input=1&output=1&error=1");
      using client = await ChannelClient.connect(admin, path, version);
      client.send(0, "one ");
      client.send(0, "two\n");
      await client.closed;
      assert.equal(client.received(1), "one two\n");
      assert.equal(client.received(2), "err\n");
      if (hasStatus(version)) assert.deepEqual(JSON.parse(client.received(3)), failedStatus);
      else assert.equal(client.received(3), failed);
    });

  for (const version of [...channelVersions, newest])
    it(`resizes a terminal in ${version}`, async () => {
      const path = exec(waitForSize, "input=1&output=1&tty=1");
      using client = await ChannelClient.connect(admin, path, version);
      client.send(4, '{"Width":77,"Height":33}');
      await client.closed;
      assert.equal(client.received(1), "33 77\r\n");
      assert.match(client.received(3), /exit status 3/);
    });

  it("closes the input alone where the version can, and only there", async () => {
    const path = exec("cat; echo end", "input=1&output=1");
    using client = await ChannelClient.connect(admin, path, newest);
    client.send(0, "all\n");
    client.send(255, Buffer.from([0]));
    await client.closed;
    assert.equal(client.received(1), "all\nend\n");
    using older = await ChannelClient.connect(admin, path, "v4.channel.k8s.io");
    older.send(0, "all\n");
    older.send(255, Buffer.from([0]));
    older.send(0, "more\n");
    await older.until(() => older.received(1).includes("more\n"));
    assert.equal(older.received(1), "all\nmore\n");
  });

  it("takes the first version that the client names, but the fifth before all", async () => {
    const choose = async (...offered: readonly string[]) => {
      const key = Buffer.alloc(16, 1).toString("base64");
      const headers = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
      const protocols = `Sec-WebSocket-Protocol: ${offered.join(", ")}`;
      const all = [...headers, `Sec-WebSocket-Key: ${key}`, protocols];
      const { answer, socket } = await admin.upgrade(exec("true", "output=1"), all, "GET");
      socket.destroy();
      return /^Sec-WebSocket-Protocol: (.*)\r$/m.exec(answer)?.[1] ?? answer.split("\r\n")[0];
    };
    assert.equal(await choose("channel.k8s.io", "v4.channel.k8s.io"), "channel.k8s.io");
    assert.equal(await choose("v9.channel.k8s.io", "v4.base64.channel.k8s.io"), "v4.base64.channel.k8s.io");
    assert.equal(await choose("v4.channel.k8s.io", newest), newest);
    assert.equal(await choose("v9.channel.k8s.io"), "HTTP/1.1 400 Bad Request");
  });

  for (const version of ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"])
    it(`forwards ports in ${version}, two channels each`, async () => {
      const path = "/portForward/default/web?port=80&port=81,80";
      using client = await ChannelClient.connect(admin, path, version);
      for (const channel of [0, 4]) client.send(channel, "GET / HTTP/1.0\r\n\r\n");
      await client.closed;
      const number = (channel: number) => Buffer.from(client.received(channel), "latin1").readUInt16LE(0);
      assert.deepEqual([0, 1, 2, 3, 4, 5].map(number), [80, 80, 81, 81, 80, 80]);
      for (const channel of [0, 4]) assert.match(client.received(channel).slice(2), /^HTTP\/1\.[01] 200 OK/);
      assert.match(client.received(3).slice(2), /^error forwarding port 81 to pod web, uid .*connection refused/);
      assert.equal(client.received(1).length, 2);
    });

  it("refuses to forward what is no port", async () => {
    for (const [query, why] of [
      ["", 'query parameter "port" is required'],
      ["?port=", 'query parameter "port" cannot be empty'],
      ["?port=web", 'unable to parse "web" as a port'],
      ["?port=0", 'port "0" must be > 0'],
    ]) {
      const headers = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
      const key = `Sec-WebSocket-Key: ${Buffer.alloc(16, 1).toString("base64")}`;
      const { answer, socket } = await admin.upgrade(`/portForward/default/web${query}`, [...headers, key], "GET");
      socket.destroy();
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.ok(answer.endsWith(`${why}\n`), answer);
    }
  });
});

describe("attaching", () => {
  it("leaves the container running when the client goes", async () => {
    const path = "/attach/default/reader/main?input=1&output=1";
    for (const version of [...channelVersions, newest]) {
      using client = await ChannelClient.connect(admin, path, version);
      client.send(0, `${version}\n`);
      await client.until(() => client.received(1).includes(`got ${version}\n`));
    }
    for (const version of spdyVersions) {
      using client = await SpdyClient.connect(admin, path, [version]);
      const [, stdin = 0, stdout = 0] = ["error", "stdin", "stdout"].map((streamtype) => client.open({ streamtype }));
      client.send(stdin, `spdy ${version}\n`, { last: false });
      await client.until(() => client.received(stdout).includes(`got spdy ${version}\n`));
    }
    const [status] = machine.node.pod("reader")?.status.containerStatuses ?? [];
    assert.ok(status?.state?.running !== undefined);
    assert.equal(status.restartCount, 0);
  });
});

describe("a connection over which nothing goes", () => {
  it("is closed after the time that was set, whatever it speaks", async () => {
    const path = exec("sleep 3600", "output=1");
    const startMs = systemClock.monotonic();
    using spdy = await SpdyClient.connect(admin, path, ["v4.channel.k8s.io"]);
    for (const streamtype of ["error", "stdout"]) spdy.open({ streamtype });
    using channels = await ChannelClient.connect(admin, path, newest);
    using ports = await SpdyClient.connect(admin, "/portForward/default/web", ["portforward.k8s.io"]);
    await Promise.race([spdy, channels, ports].map(({ closed }) => closed));
    const ms = systemClock.monotonic() - startMs;
    assert.ok(ms >= idleMs, `closed after ${ms} ms`);
    await Promise.all([spdy, channels, ports].map(({ closed }) => closed));
  });

  it("is kept while something goes, in either direction", async () => {
    const talk = exec("for i in 1 2 3 4 5 6; do echo $i; sleep 2; done", "output=1");
    using talks = await ChannelClient.connect(admin, talk, newest);
    await talks.closed;
    assert.equal(talks.received(1), "1\n2\n3\n4\n5\n6\n");
    assert.deepEqual(JSON.parse(talks.received(3)), { metadata: {}, status: "Success" });
  });
});
