/** What of a securityContext depends on the node: profiles in its folders, sysctls it allows, ports it gives away. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Container, Pod } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { systemProcesses } from "@skiff/host";
import { defaultConfiguration } from "../config/kubelet-configuration.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
before(async () => {
  machine = await startContainerdNode(undefined, {
    ...defaultConfiguration,
    allowedUnsafeSysctls: ["net.core.somaxconn", "kernel.msg*"],
  });
});
after(() => machine[Symbol.asyncDispose]());

async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = systemClock.monotonic() + 60_000;
  while (!condition()) {
    assert.ok(systemClock.monotonic() < endMs, `${what}: not in time\n${machine.warnings.join("\n")}`);
    await systemClock.sleep(10, signal);
  }
}

let count = 0;

/** A pod on the node; goes with its scope. */
function pod(container: Partial<Container>, spec: Partial<Pod["spec"]> = {}) {
  const name = `n${count++}`;
  machine.node.create(name, {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    ...spec,
    containers: [{ name: "main", image: "skiff/hello:1", ...container }],
  });
  const status = () => machine.node.pod(name)?.status;
  const state = () => status()?.containerStatuses?.[0]?.state;
  return {
    status,
    state,
    uid: () => machine.node.pod(name)?.metadata.uid ?? "",
    events: (reason: string) =>
      machine.node.events.filter((one) => one.name === name && one.reason === reason).map(({ message }) => message),
    async runs() {
      await until(() => state()?.running !== undefined, `${name} runs`);
    },
    async [Symbol.asyncDispose]() {
      await machine.node.delete(name, 1);
      await until(() => machine.node.pod(name) === undefined, `${name} goes`);
    },
  };
}

/** What a script says in a container. */
async function says(script: string, container: Partial<Container> = {}, spec: Partial<Pod["spec"]> = {}) {
  const command = ["sh", "-c", `{ ${script}\n} >/dev/termination-log 2>&1`];
  await using one = pod({ command, ...container }, spec);
  await until(() => ["Succeeded", "Failed"].includes(one.status()?.phase ?? ""), script);
  return (one.state()?.terminated?.message ?? "").trimEnd();
}

const localhost = (localhostProfile: string) => ({
  securityContext: { seccompProfile: { type: "Localhost", localhostProfile } },
});

describe("security that depends on the node", () => {
  it("confines system calls by a profile in the node's folder", async () => {
    const folder = join(machine.node.folder, "kubelet/seccomp/profiles");
    await mkdir(folder, { recursive: true });
    const syscalls = [{ names: ["chmod", "fchmod", "fchmodat", "fchmodat2"], action: "SCMP_ACT_ERRNO" }];
    await writeFile(join(folder, "no-chmod.json"), JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }));
    const script = "grep Seccomp: /proc/self/status | cut -f2; touch /x; chmod 600 /x || echo refused";
    assert.match(await says(script, localhost("profiles/no-chmod.json")), /^2\n.*not permitted\nrefused$/);
    assert.equal(await says(script), "0");
  });

  it("says which profile is missing", async () => {
    await using one = pod(localhost("none.json"));
    await until(() => one.state()?.waiting?.reason === "CreateContainerError", "waits");
    const path = join(machine.node.folder, "kubelet/seccomp/none.json");
    assert.match(one.state()?.waiting?.message ?? "", new RegExp(`seccomp.*"?${path}"?.*no such file or directory`));
    assert.match(one.events("Failed")[0] ?? "", /^Error: .*no such file or directory/);
  });

  it("shows all of /proc where asked to", async () => {
    const script = "cut -d' ' -f5 /proc/self/mountinfo | grep -c '^/proc/'; true";
    assert.notEqual(await says(script), "0");
    assert.equal(await says(script, { securityContext: { procMount: "Unmasked" } }), "0");
  });

  it("sets unsafe sysctls that the node allows, and fails pods that ask for others", async () => {
    const of = (name: string, value: string) => ({ securityContext: { sysctls: [{ name, value }] } });
    assert.equal(await says("cat /proc/sys/net/core/somaxconn", {}, of("net.core.somaxconn", "321")), "321");
    assert.equal(await says("cat /proc/sys/kernel/msgmax", {}, of("kernel.msgmax", "12345")), "12345");
    await using one = pod({}, of("net.ipv4.ip_forward", "1"));
    await until(() => one.status()?.phase === "Failed", "fails");
    assert.equal(one.status()?.reason, "SysctlForbidden");
    assert.equal(one.status()?.message, 'Pod was rejected: forbidden sysctl: "net.ipv4.ip_forward" not allowlisted');
  });

  it("refuses what the runtime or the kernel cannot do, and says so", async () => {
    const groups = { securityContext: { supplementalGroupsPolicy: "Strict" } };
    await using strict = pod({}, groups);
    await until(() => strict.status()?.phase === "Failed", "fails");
    assert.equal(strict.status()?.reason, "SupplementalGroupsPolicyNotSupported");
    await using profiled = pod({ securityContext: { appArmorProfile: { type: "Localhost", localhostProfile: "x" } } });
    await until(() => profiled.status()?.phase === "Failed" || profiled.state()?.waiting?.reason !== undefined, "ends");
    const { reason, message } = profiled.status() ?? {};
    // Where there is AppArmor, it is the profile that is missing.
    if (reason !== undefined)
      assert.deepEqual(
        [reason, message],
        ["AppArmor", "Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host"],
      );
  });
});

/** What a line sent to a TCP port is answered with; empty where nobody listens. */
function askTcp(host: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host, port }, () => socket.write("GET /healthz HTTP/1.0\r\n\r\n"));
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on("error", () => resolve(""));
  socket.on("close", () => resolve(text));
  return promise;
}

/** What a datagram is answered with; empty when nobody did for a while. */
async function askUdp(host: string, port: number): Promise<string> {
  const socket = createSocket("udp4");
  const heard = Promise.withResolvers<string>();
  socket.on("message", (message) => heard.resolve(message.toString()));
  socket.on("error", () => heard.resolve(""));
  socket.send("hello", port, host);
  using _ = systemClock.after(200, () => heard.resolve(""));
  const answer = await heard.promise;
  socket.close();
  return answer;
}

/** Asks until there is an answer. */
async function eventually(ask: () => Promise<string>): Promise<string> {
  const endMs = systemClock.monotonic() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer !== "") return answer;
    assert.ok(systemClock.monotonic() < endMs, "nobody answers");
    await systemClock.sleep(20, signal);
  }
}

describe("ports of the node", () => {
  const port = 20_000 + (process.pid % 10_000);
  const address = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && one.internal === false)?.address;

  it("lead to the pod that asked for them, by address and protocol", async () => {
    assert.ok(address !== undefined);
    const ports = [
      { containerPort: 80, hostPort: port, hostIP: address, protocol: "TCP" as const },
      { containerPort: 9000, hostPort: port, hostIP: address, protocol: "UDP" as const },
    ];
    await using one = pod({ ports });
    await one.runs();
    const answered = await eventually(() => askTcp(address, port));
    assert.match(answered, /200 OK[\s\S]*ok\n$/);
    const uid = one.uid();
    const [pid] = await machine.cgroups.processes(`${machine.cgroupRoot}/besteffort/pod${uid}`);
    // The image has no program that listens to datagrams: one of the machine's does, in the pod's network.
    const listener = `require("dgram").createSocket("udp4").on("message", function (m, from) { this.send("got " + m, from.port, from.address); }).bind(9000)`;
    const args = ["-t", String(pid), "-n", process.execPath, "-e", listener];
    const echo = await systemProcesses.start("nsenter", { args, log: { kind: "none" } });
    try {
      assert.equal(await eventually(() => askUdp(address, port)), "got hello");
    } finally {
      echo.kill("SIGKILL");
      await echo.exit;
    }
    // Another address or protocol is another port; the same one is taken.
    await using clash = pod({ ports: [{ containerPort: 80, hostPort: port, protocol: "TCP" }] });
    await until(() => clash.status()?.phase === "Failed", "is refused");
    assert.equal(clash.status()?.reason, "NodePorts");
    await using beside = pod({ ports: [{ containerPort: 80, hostPort: port, hostIP: "127.0.0.1", protocol: "TCP" }] });
    await beside.runs();
  });
});
