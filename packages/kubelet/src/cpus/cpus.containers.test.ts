import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { systemClock } from "@skiff/base";
import { parseKubeletConfiguration } from "../config/kubelet-configuration.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";
import { cpuSetText, parseCpuSet } from "../topology/cpu-set.ts";
import { readMachineTopology } from "../topology/machine-topology.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
before(async () => {
  const configuration = parseKubeletConfiguration({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    cpuManagerPolicy: "static",
    reservedSystemCPUs: "0",
    memoryManagerPolicy: "Static",
    topologyManagerPolicy: "single-numa-node",
    evictionHard: {},
  });
  machine = await startContainerdNode(undefined, configuration);
});
after(async () => {
  await machine[Symbol.asyncDispose]();
});

const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await systemClock.sleep(20, signal);
};

it("a container has a CPU alone, and others are moved off it while they run, and back", async () => {
  const { node } = machine;
  const all = (await readMachineTopology()).cpus.map(({ cpu }) => cpu);
  const allowed = async (name: string) => {
    const id = node.pod(name)?.status.containerStatuses?.[0]?.containerID?.replace("containerd://", "") ?? "";
    const { stdout } = await machine.runtime.execSync(
      id,
      ["grep", "Cpus_allowed_list", "/proc/1/status"],
      10_000,
      signal,
    );
    return stdout.toString().replace("Cpus_allowed_list:", "").trim();
  };
  const running = (name: string) => until(() => node.pod(name)?.status.phase === "Running");
  const command = ["sleep", "1000"];
  node.create("shares", { containers: [{ name: "main", image: "skiff/hello:1", command }] });
  await running("shares");
  assert.equal(await allowed("shares"), cpuSetText(all));
  const limits = { cpu: "1", memory: "64Mi" };
  node.create("alone", {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "skiff/hello:1", command, resources: { limits, requests: limits } }],
  });
  await running("alone");
  assert.equal(await allowed("alone"), "1");
  const rest = cpuSetText(all.filter((cpu) => cpu !== 1));
  await until(async () => (await allowed("shares")) === rest);
  assert.equal(parseCpuSet(rest).includes(1), false);
  await node.delete("alone");
  await until(async () => (await allowed("shares")) === cpuSetText(all));
});
