import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemClock } from "@skiff/base";
import { TestAuthority } from "../fixtures/certificates.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";
import { NodeClient } from "../fixtures/node-client.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
let admin: NodeClient;
let other: NodeClient;
let nobody: NodeClient;

before(async () => {
  const authority = await TestAuthority.create();
  const server = { address: "127.0.0.1", port: 0, ...(await authority.sign("CN=node")), clientCa: authority.cert };
  machine = await startContainerdNode(server);
  const port = machine.node.kubelet?.port ?? 0;
  admin = new NodeClient(port, await authority.sign("O=system:masters,CN=kube-apiserver-kubelet-client"));
  other = new NodeClient(port, await authority.sign("CN=somebody"));
  nobody = new NodeClient(port);
  const command = ["sh", "-c", "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.1; done"];
  machine.node.create("talk", { containers: [{ name: "main", image: "skiff/hello:1", command }] });
  machine.node.create("web", {});
  for (let turn = 0; turn < 12_000 && !running(); turn++) await systemClock.sleep(10, signal);
  assert.ok(running());
});
after(async () => {
  await machine[Symbol.asyncDispose]();
});

const running = () => ["talk", "web"].every((name) => machine.node.pod(name)?.status.phase === "Running");

const exec = (script: string, streams: string) =>
  `/exec/default/web/main?command=sh&command=-c&command=${encodeURIComponent(script)}&${streams}`;

describe("the node's server", () => {
  it("hears only the API server", async () => {
    assert.equal((await nobody.get("/healthz")).code, 401);
    assert.equal((await other.get("/healthz")).code, 403);
    assert.deepEqual(await admin.get("/healthz"), { code: 200, text: "ok" });
    const refused = await nobody.upgrade(exec("id", "output=1"), ["Connection: Upgrade", "Upgrade: SPDY/3.1"]);
    assert.match(refused.answer, /^HTTP\/1\.1 401 /);
    refused.socket.destroy();
  });

  it("asks the API server about everybody else", async () => {
    const none = () => false;
    const viewer = { Authorization: "Bearer viewer-token" };
    assert.deepEqual(await other.get("/metrics"), {
      code: 403,
      text: "Forbidden (user=somebody, verb=get, resource=nodes, subresource(s)=[metrics])",
    });
    assert.deepEqual(await nobody.get("/pods", none, viewer), {
      code: 403,
      text: "Forbidden (user=viewer, verb=get, resource=nodes, subresource(s)=[pods proxy])",
    });
    assert.equal((await nobody.get("/metrics", none, { Authorization: "Bearer guessed" })).code, 401);
    const metrics = await nobody.get("/metrics/cadvisor", none, viewer);
    assert.equal(metrics.code, 200);
    assert.match(metrics.text, /container_memory_working_set_bytes\{container="main",[^}]*pod="web"\} \d+/);
    const own = (await nobody.get("/metrics", none, viewer)).text;
    assert.match(own, /^kubelet_running_pods 2$/m);
    assert.match(own, /^kubelet_started_pods_total 2$/m);
    assert.match(own, /^kubelet_started_containers_total\{container_type="container"\} \d+$/m);
  });

  it("reads addresses as long as commands may be", async () => {
    assert.equal((await admin.get(`/healthz?long=${"a".repeat(100_000)}`)).text, "ok");
  });

  it("tells its configuration, and what runs", async () => {
    const { kubeletconfig } = JSON.parse((await admin.get("/configz")).text);
    assert.equal(kubeletconfig.kind, "KubeletConfiguration");
    assert.equal(kubeletconfig.evictionHard["memory.available"], "100Mi");
    const { items } = JSON.parse((await admin.get("/runningpods/")).text);
    const names = items.map((pod: { metadata: { name: string } }) => pod.metadata.name);
    assert.deepEqual(names.toSorted(), ["talk", "web"]);
    const { node } = JSON.parse((await admin.get("/stats/summary")).text);
    assert.ok(node.fs.availableBytes > 0 && node.fs.capacityBytes > node.fs.availableBytes);
    assert.ok(node.runtime.imageFs.capacityBytes > 0 && node.rlimit.curproc > 0);
    assert.equal((await admin.get("/logs/")).code, 405);
    assert.equal((await admin.get("/metrics/none")).code, 404);
  });

  it("gives logs: all, the last lines, followed, cut, with times", async () => {
    await admin.get("/containerLogs/default/talk/main?follow=true", (seen) => seen.includes("line 5"));
    const { code, text } = await admin.get("/containerLogs/default/talk/main?tailLines=2");
    assert.equal(code, 200);
    assert.match(text, /^line \d+\nline \d+\n$/);
    const followed = await admin.get(
      "/containerLogs/default/talk/main?tailLines=0&follow=true",
      (seen) => seen.split("\n").length > 3,
    );
    assert.match(followed.text, /^line \d+\nline \d+\n/);
    assert.equal((await admin.get("/containerLogs/default/talk/main?limitBytes=6")).text, "line 0");
    const timed = await admin.get("/containerLogs/default/talk/main?timestamps=true&limitBytes=60");
    assert.match(timed.text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 0\n/);
    assert.equal((await admin.get("/containerLogs/default/talk/none")).code, 404);
    const previous = await admin.get("/containerLogs/default/talk/main?previous=true");
    assert.deepEqual(previous, { code: 400, text: 'previous terminated container "main" in pod "talk" not found' });
  });

  it("executes over each WebSocket protocol, with the exit code", async () => {
    for (const protocol of ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"]) {
      const result = await admin.exec(exec("echo out; echo err >&2; exit 3", "output=1&error=1"), protocol);
      assert.equal(result.stdout, "out\n", protocol);
      assert.equal(result.stderr, "err\n");
      const status: unknown = JSON.parse(result.status);
      assert.deepEqual(status, {
        metadata: {},
        status: "Failure",
        message: "command terminated with non-zero exit code: exit status 3",
        reason: "NonZeroExitCode",
        details: { causes: [{ reason: "ExitCode", message: "3" }] },
      });
    }
    for (const protocol of ["channel.k8s.io", "base64.channel.k8s.io"]) {
      const result = await admin.exec(exec("echo out; echo err >&2; exit 3", "output=1&error=1"), protocol);
      assert.deepEqual(result, {
        stdout: "out\n",
        stderr: "err\n",
        status: "command terminated with non-zero exit code: exit status 3",
      });
      assert.equal((await admin.exec(exec("true", "output=1"), protocol)).status, "");
    }
    const good = await admin.exec(exec("true", "output=1"), "v5.channel.k8s.io");
    assert.deepEqual(JSON.parse(good.status), { metadata: {}, status: "Success" });
  });

  it("closes the input alone", async () => {
    const input = Buffer.alloc(1_000_000, "x");
    const result = await admin.exec(exec("wc -c", "input=1&output=1"), "v5.channel.k8s.io", input);
    assert.equal(result.stdout.trim(), "1000000");
  });

  it("hands SPDY connections to the runtime", async () => {
    const headers = ["Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v4.channel.k8s.io"];
    const { answer, socket } = await admin.upgrade(exec("id", "output=1"), headers);
    assert.match(answer, /^HTTP\/1\.1 101 /);
    assert.match(answer, /X-Stream-Protocol-Version: v4\.channel\.k8s\.io/i);
    socket.destroy();
  });

  it("tunnels port-forward through a WebSocket", async () => {
    const key = Buffer.alloc(16, 1).toString("base64");
    const { answer, socket } = await admin
      .upgrade("/portForward/default/web", [])
      .catch(() => ({ answer: "", socket: undefined }));
    assert.match(answer, /^HTTP\/1\.1 400 /);
    socket?.destroy();
    const open = admin.webSocketByHand("/portForward/default/web", key);
    assert.match((await open).answer, /Sec-WebSocket-Protocol: SPDY\/3\.1\+portforward\.k8s\.io/i);
    (await open).socket.destroy();
  });

  it("lists pods and what they use", async () => {
    const pods: unknown = JSON.parse((await admin.get("/pods")).text);
    assert.match(JSON.stringify(pods), /"kind":"PodList".*"name":"talk"/);
    assert.match((await admin.get("/stats/summary")).text, /"usageCoreNanoSeconds":\d+/);
    assert.match((await admin.get("/metrics/resource")).text, /container_memory_working_set_bytes\{container="main"/);
  });
});
