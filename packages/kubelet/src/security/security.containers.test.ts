import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Container, Pod } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
before(async () => {
  machine = await startContainerdNode();
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

/** What a script says in a container of this kind, and how the container ended. */
async function says(script: string, container: Partial<Container> = {}, spec: Partial<Pod["spec"]> = {}) {
  const name = `s${count++}`;
  const command = ["sh", "-c", `{ ${script}\n} >/dev/termination-log 2>&1`];
  machine.node.create(name, {
    restartPolicy: "Never",
    ...spec,
    containers: [{ name: "main", image: "skiff/hello:1", command, ...container }],
  });
  const status = () => machine.node.pod(name)?.status;
  await until(() => ["Succeeded", "Failed"].includes(status()?.phase ?? ""), script);
  const ended = status()?.containerStatuses?.[0]?.state?.terminated;
  await machine.node.delete(name, 1);
  await until(() => machine.node.pod(name) === undefined, `${name} goes`);
  return (ended?.message ?? `${ended?.reason} ${ended?.exitCode}`).trimEnd();
}

const secured = (securityContext: Container["securityContext"]) => ({ securityContext });
const status = (field: string) => `grep ${field}: /proc/self/status | cut -f2-`;

describe("securityContext on containerd", () => {
  it("says who the process is: the container's word before the pod's", async () => {
    assert.equal(await says("id -u; id -g", secured({ runAsUser: 7 }), { securityContext: { runAsUser: 8 } }), "7\n0");
    assert.equal(await says("id -u; id -g", {}, { securityContext: { runAsGroup: 9 } }), "0\n9");
    const groups = { runAsUser: 5, runAsGroup: 6, supplementalGroups: [11, 12], fsGroup: 13 };
    assert.equal(await says(status("Groups"), {}, { securityContext: groups }), "6 11 12 13");
  });

  it("adds and drops capabilities", async () => {
    const effective = (securityContext: Container["securityContext"]) =>
      says(status("CapEff"), secured(securityContext));
    const [usual, none, one, all] = [
      await effective({}),
      await effective({ capabilities: { drop: ["ALL"] } }),
      await effective({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }),
      await effective({ privileged: true }),
    ];
    assert.deepEqual([none, one], ["0000000000000000", "0000000000000400"]);
    assert.ok(BigInt(`0x${usual}`) < BigInt(`0x${all}`), `${usual} ${all}`);
    assert.match(await says("ip link add dummy0 type bridge && echo made"), /denied|not permitted/i);
  });

  it("keeps new privileges from processes, also those of a setuid program", async () => {
    // A copy of ping that belongs to root and makes root of who runs it: only root may open the socket it needs.
    const script = "id -u; /v/ping -c 1 -W 10 127.0.0.1 >/dev/null && echo root";
    const init: Container = {
      name: "init",
      image: "skiff/hello:1",
      command: ["sh", "-c", "cp /bin/busybox /v/ping && chmod 4755 /v/ping"],
      volumeMounts: [{ name: "v", mountPath: "/v" }],
    };
    const of = (allowPrivilegeEscalation: boolean) =>
      says(
        script,
        { ...secured({ runAsUser: 1000, allowPrivilegeEscalation }), volumeMounts: [{ name: "v", mountPath: "/v" }] },
        { initContainers: [init], volumes: [{ name: "v", emptyDir: {} }] },
      );
    assert.equal(await of(true), "1000\nroot");
    assert.match(await of(false), /^1000\n.*permission denied/i);
    assert.equal(await says(status("NoNewPrivs"), secured({ allowPrivilegeEscalation: false })), "1");
  });

  it("confines system calls as asked for", async () => {
    const of = (type: string, localhostProfile?: string) =>
      says(status("Seccomp"), {}, { securityContext: { seccompProfile: { type, localhostProfile } } });
    assert.deepEqual(
      [await of("RuntimeDefault"), await of("Unconfined"), await says(status("Seccomp"))],
      ["2", "0", "0"],
    );
  });

  it("hides what is the kernel's, unless asked not to", async () => {
    const masked =
      "cat /proc/timer_list | head -c 1 | wc -c; (echo x >/proc/sys/kernel/hostname) 2>&1 | grep -c 'Read-only'";
    assert.equal(await says(masked), "0\n1");
  });

  it("makes the root read-only, volumes aside", async () => {
    const script = "touch /x 2>/dev/null || echo ro; touch /v/x && echo rw";
    const mounts = { volumeMounts: [{ name: "v", mountPath: "/v" }] };
    assert.equal(
      await says(
        script,
        { ...secured({ readOnlyRootFilesystem: true }), ...mounts },
        { volumes: [{ name: "v", emptyDir: {} }] },
      ),
      "ro\nrw",
    );
  });

  it("sets sysctls of the pod", async () => {
    const sysctls = [{ name: "kernel/shm_rmid_forced", value: "1" }];
    assert.equal(await says("cat /proc/sys/kernel/shm_rmid_forced", {}, { securityContext: { sysctls } }), "1");
  });

  it("shares namespaces as asked for", async () => {
    const namespaces = "for one in net pid ipc; do readlink /proc/self/ns/$one; done";
    const own = await says(namespaces);
    const host = { hostNetwork: true, hostPID: true, hostIPC: true };
    const theirs = await says(namespaces, {}, host);
    const shared = theirs.split("\n").filter((one) => own.split("\n").includes(one));
    assert.deepEqual([theirs.split("\n").length, shared], [3, []]);
    assert.match(await says("cat /proc/1/comm", {}, { shareProcessNamespace: true }), /pause/);
    assert.match(await says("head -1 /etc/hosts", {}, { hostNetwork: true }), /host network/);
  });

  it("refuses user namespaces where the runtime has none, and says so", async () => {
    machine.node.create("mapped", { hostUsers: false });
    const said = () =>
      machine.node.events.find((one) => one.name === "mapped" && one.reason === "FailedCreatePodSandBox");
    await until(() => said() !== undefined, "refused");
    assert.match(
      said()?.message ?? "",
      /can't set `spec\.hostUsers: false`, runtime does not support user namespaces$/,
    );
    await machine.node.delete("mapped", 1);
    await until(() => machine.node.pod("mapped") === undefined, "goes");
  });

  it("shows a debugger its target's processes", async () => {
    const command = ["sh", "-c", "exec sleep 1234"];
    machine.node.create("target", {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "main", image: "skiff/hello:1", command }],
    });
    await until(() => machine.node.pod("target")?.status?.phase === "Running", "runs");
    const pod = machine.node.pod("target");
    assert.ok(pod !== undefined);
    const dbg = {
      name: "dbg",
      image: "skiff/hello:1",
      command: ["sh", "-c", "tr '\\0' ' ' </proc/1/cmdline >/dev/termination-log"],
      targetContainerName: "main",
    };
    machine.node.api.put("pods", { ...pod, spec: { ...pod.spec, ephemeralContainers: [dbg] } });
    const ended = () => machine.node.pod("target")?.status?.ephemeralContainerStatuses?.[0]?.state?.terminated;
    await until(() => ended() !== undefined, "dbg ends");
    assert.match(ended()?.message ?? "", /sleep 1234/);
    await machine.node.delete("target", 1);
    await until(() => machine.node.pod("target") === undefined, "goes");
  });
});
