import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { systemClock } from "@skiff/base";
import { type ContainerdNode, startContainerdNode } from "./fixtures/containerd-node.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
before(async () => {
  machine = await startContainerdNode();
});
after(async () => {
  await machine[Symbol.asyncDispose]();
});

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = systemClock.monotonic() + 60_000;
  while (!(await condition())) {
    if (systemClock.monotonic() > endMs)
      assert.fail(
        `${what}: not in time\n${JSON.stringify(machine.node.api.list("pods"))}\n${machine.warnings.join("\n")}`,
      );
    await systemClock.sleep(10, signal);
  }
}

const status = (name: string) => machine.node.pod(name)?.status;
const container = (name: string) => status(name)?.containerStatuses?.[0];

async function gone(name: string): Promise<void> {
  await machine.node.delete(name, 0);
  await until(() => machine.node.pod(name) === undefined, `${name} goes`);
}

/** A limit of a group as the kernel has it, in the words of either version. */
async function kernelValue(path: string, names: readonly [v1: string, v2: string]): Promise<string> {
  const [controller = ""] = names[0].split(".");
  const { kind, controllers } = machine.cgroups.layout;
  const file = kind === "v2" ? names[1] : names[0];
  return (await readFile(join(controllers.get(controller) ?? "/sys/fs/cgroup", path, file), "utf8")).trim();
}

const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });

describe("resources on a real kernel", () => {
  it("change while a container runs, in its cgroup and in its pod's", async () => {
    machine.node.create("resized", {
      terminationGracePeriodSeconds: 1,
      containers: [
        { name: "main", image: "skiff/hello:1", command: ["sleep", "1000"], resources: resources("200m", "64Mi") },
      ],
    });
    await until(() => container("resized")?.state?.running !== undefined, "runs");
    const id = container("resized")?.containerID?.replace("containerd://", "") ?? "";
    const pod = `${machine.cgroupRoot}/pod${machine.node.pod("resized")?.metadata.uid}`;
    const memory = ["memory.limit_in_bytes", "memory.max"] as const;
    const quota = ["cpu.cfs_quota_us", "cpu.max"] as const;
    assert.equal(await kernelValue(`${pod}/${id}`, memory), String(64 * 2 ** 20));
    const resize = (cpu: string, bytes: string, generation: number) =>
      machine.node.api.send({
        verb: "patch",
        group: "",
        version: "v1",
        plural: "pods",
        namespace: "default",
        name: "resized",
        patchType: "strategic",
        body: { metadata: { generation }, spec: { containers: [{ name: "main", resources: resources(cpu, bytes) }] } },
      });
    await resize("400m", "128Mi", 2);
    await until(() => container("resized")?.resources?.limits?.memory === "128Mi", "is larger");
    for (const path of [pod, `${pod}/${id}`]) {
      await until(async () => (await kernelValue(path, quota)).startsWith("40000"), `${path} has its quota`);
      assert.equal(await kernelValue(path, memory), String(128 * 2 ** 20));
    }
    await resize("100m", "64Mi", 3);
    await until(() => container("resized")?.resources?.limits?.memory === "64Mi", "is smaller");
    for (const path of [pod, `${pod}/${id}`]) {
      await until(async () => (await kernelValue(path, quota)).startsWith("10000"), `${path} has its quota`);
      await until(async () => (await kernelValue(path, memory)) === String(64 * 2 ** 20), `${path} has its memory`);
    }
    assert.equal(container("resized")?.restartCount, 0);
    await gone("resized");
  });

  it("change while an init container runs, too, and hold for those that have not begun", async () => {
    const waiting = "until [ -e /tmp/go ]; do sleep 0.1; done";
    const command = ["sh", "-c", waiting];
    const init = (name: string, bytes: string) => ({
      name,
      image: "skiff/hello:1",
      resources: resources("200m", bytes),
    });
    machine.node.create("begins", {
      terminationGracePeriodSeconds: 1,
      initContainers: [
        { ...init("first", "64Mi"), command },
        { ...init("second", "64Mi"), command },
      ],
      containers: [
        { name: "main", image: "skiff/hello:1", command: ["sleep", "1000"], resources: resources("200m", "64Mi") },
      ],
    });
    const told = (name: string) => status("begins")?.initContainerStatuses?.find((one) => one.name === name);
    const idOf = (name: string) => told(name)?.containerID?.replace("containerd://", "") ?? "";
    const memory = ["memory.limit_in_bytes", "memory.max"] as const;
    const pod = () => `${machine.cgroupRoot}/pod${machine.node.pod("begins")?.metadata.uid}`;
    await until(() => told("first")?.state?.running !== undefined, "runs");
    await machine.node.api.send({
      verb: "patch",
      group: "",
      version: "v1",
      plural: "pods",
      namespace: "default",
      name: "begins",
      patchType: "strategic",
      body: { metadata: { generation: 2 }, spec: { initContainers: [init("first", "96Mi"), init("second", "128Mi")] } },
    });
    await until(() => told("first")?.resources?.limits?.memory === "96Mi", "is larger");
    assert.equal(await kernelValue(`${pod()}/${idOf("first")}`, memory), String(96 * 2 ** 20));
    assert.equal(await kernelValue(pod(), memory), String(128 * 2 ** 20));
    assert.equal(told("first")?.restartCount, 0);
    await machine.runtime.execSync(idOf("first"), ["touch", "/tmp/go"], 10_000, signal);
    await until(() => told("second")?.state?.running !== undefined, "the next one runs");
    assert.equal(await kernelValue(`${pod()}/${idOf("second")}`, memory), String(128 * 2 ** 20));
    await gone("begins");
  });

  it("end a container that takes more memory than it may, and say why", async () => {
    machine.node.create("greedy", {
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          image: "skiff/hello:1",
          command: ["sh", "-c", "x=0123456789abcdef; while true; do x=$x$x; done"],
          resources: { requests: { memory: "16Mi" }, limits: { memory: "16Mi" } },
        },
      ],
    });
    await until(() => status("greedy")?.phase === "Failed", "fails");
    assert.equal(container("greedy")?.state?.terminated?.reason, "OOMKilled");
    assert.equal(container("greedy")?.state?.terminated?.exitCode, 137);
    await gone("greedy");
  });

  it("are nothing that an image volume has: its files are there, read-only and not to be executed", async () => {
    const script = "ls /data/bin/sh && ! touch /data/x && grep ' /data ' /proc/mounts | grep -q noexec";
    machine.node.create("reader", {
      restartPolicy: "Never",
      volumes: [{ name: "files", image: { reference: "skiff/hello:1", pullPolicy: "IfNotPresent" } }],
      containers: [
        {
          name: "main",
          image: "skiff/hello:1",
          command: ["sh", "-c", `{ ${script}; } >/dev/termination-log 2>&1`],
          volumeMounts: [{ name: "files", mountPath: "/data" }],
        },
      ],
    });
    await until(() => ["Succeeded", "Failed"].includes(status("reader")?.phase ?? ""), "ends");
    assert.equal(status("reader")?.phase, "Succeeded", container("reader")?.state?.terminated?.message);
    await gone("reader");
    const mounted = async () => (await machine.mounts()).some(({ target }) => target.includes("kubernetes.io~image"));
    await until(async () => !(await mounted()), "nothing stays mounted");
  });

  it("leave the machine processes of its own, however many pods start", async () => {
    const all = Number(await kernelValue(machine.cgroupRoot, ["pids.max", "pids.max"]));
    const most = Number(await readFile("/proc/sys/kernel/pid_max", "utf8"));
    assert.ok(all > 0 && all < most, `${all} of ${most}`);
  });

  it("leave no group behind", async () => {
    const left = async () => {
      const groups = await machine.cgroups.children(machine.cgroupRoot);
      return groups.filter((group) => group.includes("/pod"));
    };
    await until(async () => (await left()).length === 0, "all groups of pods are gone").catch(
      async (error: unknown) => {
        assert.fail(`${await left()} of ${JSON.stringify(machine.node.events.slice(-5))}: ${error}`);
      },
    );
  });
});
