/** What machines and people do to a node, done to a real one. */
import assert from "node:assert/strict";
import { readdir, readFile, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import type { Pod } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { defaultConfiguration } from "./config/kubelet-configuration.ts";
import { type ContainerdNode, type ContainerdNodeExtras, startContainerdNode } from "./fixtures/containerd-node.ts";

const { signal } = new AbortController();
const image = "skiff/hello:1";
const shell = (script: string, more: Partial<Pod["spec"]["containers"][number]> = {}) => ({
  name: "main",
  image,
  command: ["sh", "-c", script],
  ...more,
});
const forever = shell("trap 'exit 0' TERM; while true; do sleep 0.2; done");

class Watched implements AsyncDisposable {
  readonly machine: ContainerdNode;
  private constructor(machine: ContainerdNode) {
    this.machine = machine;
  }

  static async start(configuration: object = {}, extras: ContainerdNodeExtras = {}): Promise<Watched> {
    return new Watched(await startContainerdNode(undefined, { ...defaultConfiguration, ...configuration }, extras));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
  }

  create(name: string, spec: Partial<Pod["spec"]> = {}): void {
    this.machine.node.create(name, { terminationGracePeriodSeconds: 1, containers: [forever], ...spec });
  }

  status(name: string) {
    return this.machine.node.pod(name)?.status;
  }

  container(name: string) {
    return this.status(name)?.containerStatuses?.[0];
  }

  isReady(name: string): boolean {
    return this.status(name)?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
  }

  /** Waits for as long as it takes, within reason: these machines are made to suffer. */
  async until(condition: () => boolean | Promise<boolean>, what: string, limitMs = 240_000): Promise<void> {
    const endMs = systemClock.monotonic() + limitMs;
    while (!(await condition())) {
      if (systemClock.monotonic() > endMs) {
        const { node, warnings } = this.machine;
        const pods = JSON.stringify(node.api.list("pods").slice(0, 5));
        const events = JSON.stringify(node.events.slice(-10));
        assert.fail(`${what}: not in time\n${pods}\n${events}\n${warnings.slice(-20).join("\n")}`);
      }
      await systemClock.sleep(10, signal);
    }
  }

  async gone(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.machine.node.delete(name, 1)));
    await this.until(() => names.every((name) => this.machine.node.pod(name) === undefined), `${names[0]} goes`);
  }

  hasDiskPressure(status: string): boolean {
    const node = JSON.stringify(this.machine.node.api.get("nodes", "", "node-1"));
    return node.includes(`"type":"DiskPressure","status":"${status}"`);
  }
}

describe("a node that suffers", () => {
  it("keeps its pods when agent and containerd are killed, together or alone", async () => {
    await using test = await Watched.start();
    const { node, cgroups, cgroupRoot } = test.machine;
    test.create("kept");
    test.create("ends", { restartPolicy: "Never", containers: [shell("sleep 1000")] });
    await test.until(() => test.isReady("kept") && test.isReady("ends"), "run");
    const id = test.container("kept")?.containerID;
    await test.machine.crashRuntime();
    await node.stopAgent();
    // What happens meanwhile is told afterwards.
    const [, dying = ""] = test.container("ends")?.containerID?.split("//") ?? [];
    const group = `${cgroupRoot}/besteffort/pod${node.pod("ends")?.metadata.uid}/${dying}`;
    for (const pid of await cgroups.processes(group)) process.kill(pid, "SIGKILL");
    await test.machine.crashRuntime();
    await node.startAgent();
    await test.until(() => test.status("ends")?.phase === "Failed", "the end is told");
    assert.equal(test.container("ends")?.state?.terminated?.exitCode, 137);
    test.create("new");
    await test.until(() => test.isReady("new") && test.isReady("kept"), "goes on");
    assert.deepEqual([test.container("kept")?.containerID, test.container("kept")?.restartCount], [id, 0]);
    await test.gone("kept", "ends", "new");
  });

  it("starts its pods anew after a power failure, and leaves nothing of those that went meanwhile", async () => {
    await using test = await Watched.start();
    const { node, folder, runtime } = test.machine;
    const volumes = [{ name: "data", emptyDir: {} }];
    const keeps = shell("echo run >>/data/runs; trap 'exit 0' TERM; while true; do sleep 0.2; done", {
      volumeMounts: [{ name: "data", mountPath: "/data" }],
    });
    test.create("back", { containers: [keeps], volumes });
    test.create("once", { restartPolicy: "Never" });
    test.create("went", { containers: [keeps], volumes });
    await test.until(() => ["back", "once", "went"].every((name) => test.isReady(name)), "run");
    const { containerID } = test.container("back") ?? {};
    const uid = node.pod("back")?.metadata.uid ?? "";
    // Containers without probes are ready before their first command has run.
    const runs = join(folder, "kubelet/pods", uid, "volumes/kubernetes.io~empty-dir/data/runs");
    const hasWritten = (text: string) => async () => (await readFile(runs, "utf8").catch(() => "")) === text;
    await test.until(hasWritten("run\n"), "has written");
    await node.stopAgent();
    await node.delete("went", 0);
    await test.machine.reboot();
    await test.until(() => test.isReady("back") && test.container("back")?.containerID !== containerID, "is back");
    assert.equal(test.container("back")?.restartCount, 1);
    assert.equal(test.status("back")?.phase, "Running");
    await test.until(hasWritten("run\nrun\n"), "has written again, behind what it had");
    await test.until(() => test.status("once")?.phase === "Failed", "is over");
    await test.gone("back", "once");
    const left = async () => [
      ...(await readdir(join(folder, "kubelet/pods"))),
      ...(await readdir(join(folder, "logs"))),
      ...(await runtime.listPodSandboxes(signal)).map(({ id }) => id),
    ];
    const endMs = systemClock.monotonic() + 240_000;
    while ((await left()).length > 0 && systemClock.monotonic() < endMs) await systemClock.sleep(50, signal);
    assert.deepEqual(await left(), []);
  });

  it("takes no pods while its disk is full, and goes on when there is room", async () => {
    const configuration = { evictionPressureTransitionPeriodMs: 1000 };
    await using test = await Watched.start(configuration, { diskBytes: 384 * 2 ** 20 });
    const { folder } = test.machine;
    test.create("vital", { priority: 2_000_000_000 });
    test.create("web");
    await test.until(() => test.isReady("vital") && test.isReady("web"), "run");
    const id = test.container("vital")?.containerID;
    const ballast = join(folder, "ballast");
    const { bavail, bsize } = await statfs(folder);
    await writeFile(ballast, Buffer.alloc(bavail * bsize)).catch(() => {});
    await test.until(() => test.hasDiskPressure("True"), "tells of it");
    await test.until(() => test.status("web")?.phase === "Failed", "is evicted");
    assert.match(test.status("web")?.message ?? "", /^The node was low on resource: ephemeral-storage\./);
    test.create("late");
    await test.until(() => test.status("late")?.phase === "Failed", "is refused");
    assert.equal(test.status("late")?.message, "The node had condition: [DiskPressure]. ");
    await rm(ballast);
    await test.until(() => test.hasDiskPressure("False"), "is well again");
    test.create("after");
    await test.until(() => test.isReady("after"), "takes pods");
    assert.equal(test.container("vital")?.containerID, id);
    await test.gone("vital", "web", "late", "after");
  });

  it("runs 110 pods, and not one more", async () => {
    await using test = await Watched.start();
    const { runtime, cgroups, cgroupRoot } = test.machine;
    const names = Array.from({ length: 110 }, (_, index) => `many-${index}`);
    const sleeper = { name: "main", image, command: ["sleep", "100000"] };
    for (const name of names) test.create(name, { containers: [sleeper] });
    await test.until(() => names.every((name) => test.isReady(name)), "all run", 600_000);
    assert.equal(new Set(names.map((name) => test.status(name)?.podIP)).size, 110);
    test.create("more", { containers: [sleeper] });
    await test.until(() => test.status("more")?.phase === "Failed", "is refused");
    assert.equal(test.status("more")?.reason, "OutOfpods");
    await test.gone(...names, "more");
    assert.deepEqual(await runtime.listPodSandboxes(signal), []);
    assert.deepEqual(await cgroups.children(`${cgroupRoot}/besteffort`), []);
  });

  it("lets a pod that multiplies without end fail alone", async () => {
    await using test = await Watched.start({ podPidsLimit: 40 });
    const bomb = "i=0; while [ $i -lt 500 ]; do sleep 1000 & i=$((i+1)); done; echo never; sleep 1000";
    test.create("bomb", {
      restartPolicy: "Never",
      containers: [shell(bomb, { terminationMessagePolicy: "FallbackToLogsOnError" })],
    });
    test.create("other");
    await test.until(() => test.status("bomb")?.phase === "Failed", "fails");
    assert.match(test.container("bomb")?.state?.terminated?.message ?? "", /can't fork/);
    await test.until(() => test.isReady("other"), "runs");
    await test.gone("bomb", "other");
  });

  it("restarts a container whose probe hangs, and ends one that does not listen", async () => {
    await using test = await Watched.start();
    const livenessProbe = { exec: { command: ["sleep", "100000"] }, periodSeconds: 1, failureThreshold: 1 };
    test.create("hangs", { containers: [{ ...forever, livenessProbe }] });
    test.create("deaf", { containers: [shell("trap '' TERM; while true; do sleep 1; done")] });
    await test.until(() => (test.container("hangs")?.restartCount ?? 0) > 0, "is restarted");
    const told = test.machine.node.events.filter((one) => one.reason === "Unhealthy").map((one) => one.message);
    assert.match(told[0] ?? "", /^Liveness probe .*timed out/s);
    await test.until(() => test.isReady("deaf"), "runs");
    await test.gone("hangs", "deaf");
  });

  it("keeps few and small logs of one that says 10,000 lines a second, in order and without a gap", async () => {
    await using test = await Watched.start({ containerLogMaxBytes: 256 * 1024, containerLogMaxFiles: 3 });
    // Forty seconds: logs are looked at every ten.
    const lines = 400_000;
    const flood = `n=0; while [ $n -lt ${lines} ]; do seq $((n+1)) $((n+1000)); n=$((n+1000)); sleep 0.1; done; sleep 1000`;
    test.create("loud", { containers: [shell(flood)] });
    await test.until(() => test.isReady("loud"), "runs");
    const { uid } = test.machine.node.pod("loud")?.metadata ?? {};
    const logs = join(test.machine.folder, "logs", `default_loud_${uid}`, "main");
    const text = async (name: string) => {
      const bytes = await readFile(join(logs, name));
      return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
    };
    /** A line that is being written while the runtime takes another file is in both of them, in two parts (P, then F). */
    const numbersIn = async (...files: readonly string[]) => {
      const texts = await Promise.all(files.map((name) => text(name).catch(() => "")));
      const parts = [...texts.join("").matchAll(/ stdout ([FP]) (\d*)\n/g)];
      const said = parts.map(([, kind, part]) => (kind === "F" ? `${part}\n` : part)).join("");
      return said.split("\n").slice(0, -1).map(Number);
    };
    // The last line may have been rotated away from the newest file already.
    const newest = async () => (await numbersIn("0.log.1", "0.log")).at(-1) ?? 0;
    const endMs = systemClock.monotonic() + 300_000;
    while ((await newest()) < lines && systemClock.monotonic() < endMs) {
      const present = (await readdir(logs)).filter((name) => !name.endsWith(".tmp"));
      assert.ok(present.length <= 4, present.join(" "));
      await systemClock.sleep(500, signal);
    }
    const names = ["0.log.2.gz", "0.log.1", "0.log"];
    /** Nothing while they are rotated. */
    const inodes = async () => {
      const found = await Promise.all(names.map((name) => stat(join(logs, name)).catch(() => undefined)));
      return found.includes(undefined) ? undefined : found.map((one) => one?.ino);
    };
    let kept: number[] = [];
    let before: Awaited<ReturnType<typeof inodes>>;
    // What is rotated while it is read is read again.
    do {
      before = await inodes();
      // Of the first line the first part may have gone.
      kept = (await numbersIn(...names)).slice(1);
    } while (before === undefined || !isDeepStrictEqual(before, await inodes()));
    assert.equal(kept.at(-1), lines);
    assert.ok(kept.length < lines, "what is old has gone");
    const gap = kept.findIndex((number, at) => at > 0 && number !== (kept[at - 1] ?? 0) + 1);
    assert.equal(gap, -1, `after line ${kept[gap - 1]} comes ${kept[gap]}`);
    await test.gone("loud");
  });
});
