/**
 * A storage driver that is not the cluster's own, with stock kubectl: a process beside the node that makes itself known as
 * drivers do, whose volumes are attached before they are mounted. Kubernetes' own `csi-attacher` carries that out where it
 * is installed.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type StartedProcess, systemMounts, systemProcesses } from "@skiff/host";
import { courseCluster, manifest } from "../exercises/course-cluster.ts";
import { kubectls, type Workbench } from "../story/workbench.ts";

const { signal } = new AbortController();
const name = "attached.csi.example.com";
const fixtures = join(import.meta.dirname, "../../../kubelet/src/fixtures");

const objects = `apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata:
  name: ${name}
spec:
  attachRequired: true
  podInfoOnMount: true
---
apiVersion: v1
kind: PersistentVolume
metadata:
  name: disk
spec:
  capacity: {storage: 32Mi}
  accessModes: [ReadWriteOnce]
  storageClassName: manual
  csi:
    driver: ${name}
    volumeHandle: disk-1
    fsType: ext4
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: disk
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: manual
  resources:
    requests: {storage: 32Mi}
`;

const pod = (podName: string) => `apiVersion: v1
kind: Pod
metadata:
  name: ${podName}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:1.28
    command: ['sh', '-c', 'echo ${podName} >> /data/log; sleep 3600']
    volumeMounts: [{name: data, mountPath: /data}]
  volumes:
  - name: data
    persistentVolumeClaim: {claimName: disk}
`;

if (kubectls().length > 0) {
  describe("a driver that attaches its volumes", { timeout: 600_000 }, () => {
    let bench: Workbench;
    let folder: string;
    const started: StartedProcess[] = [];
    const k = (...words: readonly string[]) => bench.kubectl(...words);
    const image = () => join(folder, "volumes/disk-1.img");
    const devices = () =>
      systemProcesses.output(
        "losetup",
        { args: ["--associated", image(), "--noheadings", "--output", "NAME"] },
        signal,
      );

    async function start(command: string, args: readonly string[]): Promise<void> {
      const ready = Promise.withResolvers<void>();
      const onLine = (line: string) => (line === "ready" ? ready.resolve() : undefined);
      const one = await systemProcesses.start(command, { args, log: { kind: "lines", onLine } });
      one.exit.then(({ code }) => ready.reject(new Error(`${command} ended with ${code}`)));
      started.push(one);
      if (command === process.execPath) await ready.promise;
      else ready.promise.catch(() => {});
    }

    before(async () => {
      bench = await courseCluster("drivers");
      folder = join(bench.folder, "driver");
      await mkdir(join(folder, "volumes"), { recursive: true });
      await using file = await open(image(), "a");
      await file.truncate(32 * 1024 ** 2);
      const nodeId = await k("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}");
      const registry = join(bench.folder, "home", bench.name, "kubelet/plugins_registry");
      const options = JSON.stringify({ folder, registry, nodeId, name });
      await start(process.execPath, [join(fixtures, "attached-driver.ts"), options]);
      const socket = join(folder, "csi.sock");
      const kubeconfig = join(bench.folder, "kubeconfig");
      const installed = (process.env.PATH ?? "")
        .split(delimiter)
        .map((path) => join(path, "csi-attacher"))
        .find((path) => existsSync(path));
      if (installed !== undefined)
        await start(installed, [`--csi-address=${socket}`, `--kubeconfig=${kubeconfig}`, "--v=2"]);
      else await start(process.execPath, [join(fixtures, "attacher.ts"), JSON.stringify({ socket, kubeconfig, name })]);
    });
    after(async () => {
      await bench[Symbol.asyncDispose]();
      for (const one of started) one.kill("SIGKILL");
      await Promise.all(started.map((one) => one.exit));
      for (const device of (await devices().catch(() => "")).split("\n").filter(Boolean))
        await systemProcesses.run("losetup", { args: ["--detach", device] }, signal);
      await rm(folder, { recursive: true, force: true });
    });

    test("is on the node, with its limit and its topology", async () => {
      await k("apply", "-f", await manifest(bench, "objects.yaml", objects));
      await bench.eventually("the driver is known", async () => {
        const drivers = await k("get", "csinodes", "-o", "jsonpath={.items[0].spec.drivers[*].name}");
        assert.ok(drivers.split(" ").includes(name), drivers);
      });
      assert.match(await k("get", "csidrivers", name), new RegExp(`${name} +true +true +false`));
      const labels = await k("get", "nodes", "-L", "topology.attached.example.com/zone");
      assert.match(labels, / z1\n$/);
    });

    test("attaches a volume for the first pod, detaches it after the last, and keeps what is on it", async () => {
      for (const one of ["first", "second"]) {
        await k("apply", "-f", await manifest(bench, `${one}.yaml`, pod(one)));
        await k("wait", "--for=condition=Ready", `pod/${one}`, "--timeout=90s");
        const row = await k("get", "volumeattachments");
        assert.match(row, new RegExp(`csi-[0-9a-f]{64} +${name} +disk +\\S+ +true`));
        await bench.eventually("it is told", async () =>
          assert.match(
            await k("describe", "pod", one),
            /SuccessfulAttachVolume .* AttachVolume.Attach succeeded for volume "disk"/,
          ),
        );
        const attached = await k("get", "nodes", "-o", "jsonpath={.items[0].status.volumesAttached[*].name}");
        assert.equal(attached, `kubernetes.io/csi/${name}^disk-1`);
        assert.match(await k("exec", one, "--", "grep", " /data ", "/proc/mounts"), /^\/dev\/loop\d+ \/data ext4 /);
        await bench.eventually("it has written", async () =>
          assert.match(await k("exec", one, "--", "cat", "/data/log"), new RegExp(`^${one}$`, "m")),
        );
        await k("delete", "pod", one);
        await bench.eventually("it is detached", async () => {
          assert.equal(await k("get", "volumeattachments", "-o", "name"), "");
          assert.equal(await devices(), "");
        });
      }
      await k("apply", "-f", await manifest(bench, "third.yaml", pod("third")));
      await k("wait", "--for=condition=Ready", "pod/third", "--timeout=90s");
      await bench.eventually("the third has written", async () =>
        assert.equal(await k("exec", "third", "--", "cat", "/data/log"), "first\nsecond\nthird\n"),
      );
      await k("delete", "pod", "third");
      const left = (await systemMounts().list()).filter(({ target }) => target.includes(name));
      assert.deepEqual(left, []);
    });
  });
}
