/** Images on a disk of their own that really fills up. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFile, rm, statfs } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { type Clock, sleepOn, systemClock } from "@skiff/base";
import { systemProcesses } from "@skiff/host";
import { buildImage, helloImage } from "@skiff/runtime";
import { defaultConfiguration } from "../config/kubelet-configuration.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";
import { TestRegistry } from "../fixtures/registry.ts";

const { signal } = new AbortController();
const mega = 2 ** 20;
/** Minutes pass in a part of a second: what is due every few minutes is what is tried here. */
const after1000th: Clock["after"] = (delayMs, fire) =>
  systemClock.after(delayMs < 60_000 ? delayMs : delayMs / 1000, fire);
const clock: Clock = {
  ...systemClock,
  after: after1000th,
  sleep: (delayMs, until) => sleepOn({ after: after1000th }, delayMs, until),
};
const images = Array.from({ length: 8 }, (_, index) => `app-${index}`);
let registry: TestRegistry;
let machine: ContainerdNode;

before(async () => {
  registry = await TestRegistry.start();
  await registry.push("keep:1", await helloImage(1, systemProcesses, signal));
  for (const name of images) {
    const files = [
      { kind: "directory", path: "/data", mode: 0o755 },
      { kind: "file", path: "/data/ballast", mode: 0o644, content: randomBytes(16 * mega) },
    ] as const;
    const architecture = arch() === "x64" ? "amd64" : "arm64";
    await registry.push(
      `${name}:1`,
      buildImage({ names: [name], architecture, files, config: { command: ["none"], env: [] } }),
    );
  }
  const configuration = {
    ...defaultConfiguration,
    imageMinimumGCAgeMs: 0,
    imageGCHighThresholdPercent: 70,
    imageGCLowThresholdPercent: 50,
    evictionHard: { "imagefs.available": "15%" },
    evictionPressureTransitionPeriodMs: 1000,
  };
  machine = await startContainerdNode(undefined, configuration, {
    registries: [{ host: registry.host, mirrors: [], insecure: true }],
    imageDiskBytes: 288 * mega,
    realMachine: true,
    clock,
  });
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemClock.sleep(20, signal);
}

const disk = () => join(machine.folder, "containerd");
async function usedPercent(): Promise<number> {
  const { bavail, blocks } = await statfs(disk());
  return 100 - Math.floor((bavail * 100) / blocks);
}

/** Those of some images that the node has, by one look: images are removed while this test looks. */
async function held(names: readonly string[] = images): Promise<readonly string[]> {
  const tags = (await machine.runtime.listImages(signal)).flatMap(({ repoTags }) => repoTags);
  return names.filter((name) => tags.includes(`${registry.host}/${name}:1`));
}

/** Brings an image by a pod that uses it, and ends that pod once it has a container. */
async function useOnce(name: string): Promise<void> {
  const image = `${registry.host}/${name}:1`;
  machine.node.create(name, { restartPolicy: "Never", containers: [{ name: "main", image }] });
  await until(() => machine.node.pod(name)?.status.containerStatuses?.[0]?.containerID !== undefined);
  await machine.node.delete(name, 0);
  await until(() => machine.node.pod(name) === undefined);
}

const hasDiskPressure = (status: string) =>
  JSON.stringify(machine.node.api.get("nodes", "", "node-1")).includes(`"type":"DiskPressure","status":"${status}"`);

it("images go when their disk fills up, those first that were not used for longest", async () => {
  const keep = { name: "main", image: `${registry.host}/keep:1` };
  machine.node.create("keep", { containers: [keep], priority: 2_000_000_000 });
  await until(() => machine.node.pod("keep")?.status.phase === "Running");
  const container = machine.node.pod("keep")?.status.containerStatuses?.[0]?.containerID;
  for (const name of images) {
    await useOnce(name);
    // Never so full that the node is under pressure: all images would go.
    await until(async () => (await usedPercent()) < 70);
  }
  const left = await held();
  assert.ok(left.length > 0 && left.length < images.length, left.join());
  assert.deepEqual(left, images.slice(-left.length), "the oldest went");
  assert.deepEqual(await held(["keep"]), ["keep"], "what a container uses stays");

  // Something else than images fills the disk: all of them go, and that is not enough.
  const ballast = join(disk(), "ballast");
  await until(async () => {
    const { bavail, bsize } = await statfs(disk());
    await appendFile(ballast, Buffer.alloc(bavail * bsize)).catch(() => {});
    return hasDiskPressure("True") && machine.node.reasons("node-1").includes("ImageGCFailed");
  });
  assert.deepEqual(await held(), []);
  const told = machine.node.events.find((one) => one.reason === "FreeDiskSpaceFailed");
  assert.match(
    told?.message ?? "",
    /^Insufficient free disk space on the node's image filesystem \(\d+% of 2\d\d\.\d MiB used\)\. Failed to free sufficient space by deleting unused images \(freed \d+ bytes\)\./,
  );
  await rm(ballast);
  await until(() => hasDiskPressure("False"));
  await useOnce("app-0");
  assert.equal(machine.node.pod("keep")?.status.containerStatuses?.[0]?.containerID, container);
  assert.equal(machine.node.pod("keep")?.status.phase, "Running");
});
