/** The course's exercises on storage, as printed: stock kubectl, real containers. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttp } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemMounts, systemProcesses } from "@skiff/host";
import { kubectls, type Workbench } from "../story/workbench.ts";
import { courseCluster, manifest } from "./course-cluster.ts";
import {
  attributes,
  auditLogs,
  claimPod,
  database,
  dynamic,
  gitRepo,
  hostPaths,
  nfsVolume,
  restored,
  sharedClaim,
  snapshot,
  volumes,
  wrongHostPaths,
} from "./storage-manifests.ts";

const { signal } = new AbortController();

if (kubectls().length > 0) {
  describe("storage", { timeout: 900_000 }, () => {
    let bench: Workbench;
    let socket: Server;
    let device = "";
    const k = (...words: readonly string[]) => bench.kubectl(...words);
    const apply = async (name: string, text: string) => k("apply", "-f", await manifest(bench, name, text));
    const ready = (what: string) => k("wait", "--for=condition=Ready", what, "--timeout=90s");
    const field = (what: string, path: string) => k("get", ...what.split(" "), "-o", `jsonpath=${path}`);
    const sh = (pod: string, line: string, ...words: readonly string[]) =>
      k("exec", pod, ...words, "--", "sh", "-c", line);
    const scratch = () => join(bench.folder, "scratch");
    const bound = (claim: string) => k("wait", "--for=jsonpath={.status.phase}=Bound", `pvc/${claim}`, "--timeout=90s");
    /** An event of a pod, as `kubectl describe` shows it. */
    const told = (pod: string, words: RegExp) =>
      bench.eventually(
        `${pod} says ${words}`,
        async () => assert.match(await k("describe", "pod", pod), words),
        90_000,
      );

    before(async () => {
      bench = await courseCluster("storage");
      await mkdir(join(scratch(), "directory"), { recursive: true });
      await writeFile(join(scratch(), "file"), "from the node\n");
      socket = createServer();
      await new Promise<void>((resolve) => socket.listen(join(scratch(), "socket"), resolve));
      const image = join(scratch(), "image");
      await writeFile(image, Buffer.alloc(1024 ** 2));
      device = (await systemProcesses.output("losetup", { args: ["--find", "--show", image] }, signal)).trim();
    });
    after(async () => {
      await systemProcesses.run("losetup", { args: ["--detach", device] }, signal);
      socket.close();
      await bench[Symbol.asyncDispose]();
    });

    test("emptyDir, configMap, secret, downwardAPI and projected volumes of one pod", async () => {
      await apply("volumes.yaml", volumes);
      await ready("pod/volumes");
      const reader = (line: string) => sh("volumes", line, "-c", "reader");
      await bench.eventually("two containers share a folder", async () =>
        assert.equal(await reader("cat /data/message"), "hello from the writer\n"),
      );
      assert.match(await reader("grep ' /memory ' /proc/mounts"), /^tmpfs \/memory tmpfs .*size=16384k/);
      assert.equal(await reader("cat /etc/config/game.properties /opt/color"), "lives=3\nblue");
      assert.equal(
        await reader("cat /etc/secret/password; stat -L -c ' %a' /etc/secret/password"),
        "S!B\\*d$zDsb= 400\n",
      );
      assert.equal(
        await reader("grep zone /etc/podinfo/labels; cat /etc/podinfo/mem_limit"),
        'zone="us-est-coast"\n32',
      );
      assert.match(await reader("cat /etc/podinfo/annotations"), /^build="two"$/m);
      const shown = "cat /projected/my-group/my-username; echo; cat /projected/my-group/my-color /projected/name";
      assert.equal(await reader(shown), "admin\nbluevolumes");
      const [, claims = ""] = (await reader("cat /projected/vault-token")).split(".");
      assert.deepEqual(JSON.parse(Buffer.from(claims, "base64url").toString()).aud, ["vault"]);
      await k("patch", "configmap", "game-config", "--patch", '{"data":{"color":"green"}}');
      await k("label", "pod", "volumes", "--overwrite", "zone=moon");
      await bench.eventually("files follow their objects, parts of volumes do not", async () =>
        assert.equal(
          await reader("cat /etc/config/color /opt/color /projected/my-group/my-color; grep zone /etc/podinfo/labels"),
          'greenbluegreenzone="moon"\n',
        ),
      );
      await k("delete", "pod", "volumes", "--grace-period=1");
    });

    test("a hostPath of every type, and what is said of wrong ones", async () => {
      await apply("host-paths.yaml", hostPaths(scratch(), device));
      await ready("pod/host-paths");
      await bench.eventually("it has read and written", async () => {
        assert.equal(await k("logs", "host-paths"), "from the node\n");
        assert.equal(await readFile(join(scratch(), "directory-made/by-pod"), "utf8"), "written\n");
      });
      const kinds =
        "test -d /v0 && test -d /v1 && test -d /v2 && test -f /v3 && test -S /v5 && test -c /v6 && echo all";
      assert.equal(await sh("host-paths", kinds), "all\n");
      assert.match(await sh("host-paths", "stat -c %F /v7"), /^block special file/);
      await apply("wrong.yaml", wrongHostPaths(scratch()));
      const failed = "hostPath type check failed: ";
      await told(
        "wrong-directory",
        new RegExp(`FailedMount .*${failed}${scratch()}/file is not a directory, it's a File`),
      );
      await told("wrong-file", new RegExp(`FailedMount .*hostPath ${scratch()}/nothing doesn't exist`));
      await told("wrong-socket", new RegExp(`${failed}${scratch()}/file is not a socket file, it's a File`));
      await told("wrong-chardevice", new RegExp(`${failed}${scratch()}/file is not a character device, it's a File`));
      await told("wrong-blockdevice", new RegExp(`${failed}/dev/null is not a block device, it's a CharDevice`));
      await k("delete", "pod", "--all", "--grace-period=1");
      assert.equal(await readFile(join(scratch(), "file"), "utf8"), "from the node\n", "what is the node's stays");
    });

    test("gitRepo is off, says so, and works once it is allowed", async () => {
      const work = join(scratch(), "work");
      const git = (...args: readonly string[]) =>
        systemProcesses.output(
          "git",
          { args: ["-C", work, "-c", "user.name=t", "-c", "user.email=t@t", ...args] },
          signal,
        );
      await mkdir(work);
      await git("init", "-q");
      await writeFile(join(work, "README"), "cloned\n");
      await git("add", "README");
      await git("commit", "-qm", "one");
      await git("update-server-info");
      await using server = createHttp((request, response) => {
        readFile(join(work, ".git", (request.url ?? "/").replace("/repo.git", "").replace(/\?.*/, ""))).then(
          (data) => response.end(data),
          () => response.writeHead(404).end(),
        );
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const address = server.address();
      const port = typeof address === "object" ? address?.port : 0;
      await apply("git-repo.yaml", gitRepo(`http://127.0.0.1:${port}/repo.git`));
      await told("git-repo", /FailedMount .*git-repo volume plugin has been disabled; .*GitRepoVolumeDriver/);
      const configuration = join(bench.folder, "home", bench.name, "kubelet.yaml");
      const gates = "featureGates:\n  GitRepoVolumeDriver: true\n";
      await writeFile(configuration, `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${gates}`);
      assert.equal((await bench.skiff("down")).code, 0);
      assert.equal((await bench.skiff("up")).code, 0);
      await ready("pod/git-repo");
      assert.equal(await sh("git-repo", "cat /mypath/README"), "cloned\n");
      await k("delete", "pod", "git-repo", "--grace-period=1");
    });

    test("volumes over NFS are bound, and mounted where the kernel can", async () => {
      await apply("nfs.yaml", nfsVolume);
      await bound("pvc-nfs");
      assert.match(await k("get", "pv", "pv-nfs"), /pv-nfs +1Gi +RWX +Retain +Bound +default\/pvc-nfs +manual/);
      await apply("audit.yaml", auditLogs("pvc-nfs"));
      const one = await k("get", "pods", "-l", "app=audit", "-o", "jsonpath={.items[0].metadata.name}");
      // No server listens here: either the kernel cannot even ask, or it asks in vain.
      const kernel = await systemMounts().supports("nfs", signal);
      const why = kernel ? "" : "(.|\\n)*no NFS client";
      await told(one, new RegExp(`FailedMount .*volume "pv-nfs" : mount failed${why}`));
      await told("nfs-direct", new RegExp(`FailedMount .*volume "nfs" : mount failed${why}`));
      await k("delete", "deployment/audit", "pod/nfs-direct", "--grace-period=0", "--force");
      await bench.eventually("no pod is left", async () => assert.equal(await k("get", "pods", "-o", "name"), ""));
      await k("delete", "pvc", "pvc-nfs");
      await bench.eventually("the volume is kept", async () => assert.match(await k("get", "pv"), /pv-nfs .*Released/));
      await k("delete", "pv", "pv-nfs");
    });

    test("four replicas write audit logs to one volume, which outlives its claim", async () => {
      await apply("shared.yaml", sharedClaim);
      await bound("audit");
      await apply("audit.yaml", auditLogs("audit"));
      await k("rollout", "status", "deployment/audit", "--timeout=120s");
      const names = (await k("get", "pods", "-l", "app=audit", "-o", "jsonpath={.items[*].metadata.name}")).split(" ");
      assert.equal(names.length, 4);
      const logs = names.map((name) => `test -s /var/log/audit/${name}.log`).join(" && ");
      for (const name of names)
        await bench.eventually(`${name} sees what all wrote`, async () =>
          assert.equal(await sh(name, `${logs} && echo all`), "all\n"),
        );
      await k("delete", "deployment", "audit");
      const volume = await field("pvc audit", "{.spec.volumeName}");
      assert.equal(await field(`pv ${volume}`, "{.spec.persistentVolumeReclaimPolicy}"), "Retain");
      await k("delete", "pvc", "audit");
      await bench.eventually("the volume is released", async () =>
        assert.equal(await field(`pv ${volume}`, "{.status.phase}"), "Released"),
      );
      const folder = join(bench.folder, "home", bench.name, "volumes/volumes", volume);
      assert.ok(existsSync(folder), "the logs are kept");
      await k("delete", "pv", volume);
      await rm(folder, { recursive: true });
    });

    test("a class that waits for the first pod, a size that holds, growth, and deletion with the claim", async () => {
      await apply("dynamic.yaml", dynamic);
      await bench.eventually("it waits", async () =>
        assert.match(await k("describe", "pvc", "myclaim"), /WaitForFirstConsumer .*waiting for first consumer/),
      );
      await apply("mypod.yaml", claimPod("mypod", "myclaim"));
      await ready("pod/mypod");
      const full = await sh("mypod", "dd if=/dev/zero of=/data/x bs=1M count=64 2>&1; rm /data/x; true");
      assert.match(full, /No space left on device/);
      await sh("mypod", "echo precious > /data/file");
      await k("patch", "pvc", "myclaim", "--patch", '{"spec":{"resources":{"requests":{"storage":"96Mi"}}}}');
      await bench.eventually("the volume has grown", async () =>
        assert.equal(
          await field(`pv ${await field("pvc myclaim", "{.spec.volumeName}")}`, "{.spec.capacity.storage}"),
          "96Mi",
        ),
      );
      // Not every root may grow what is mounted: then it grows for the next pod.
      await k("delete", "pod", "mypod");
      await apply("mypod.yaml", claimPod("mypod", "myclaim"));
      await ready("pod/mypod");
      assert.equal(await sh("mypod", "cat /data/file"), "precious\n");
      assert.ok(Number(await sh("mypod", "df -m /data | tail -1 | awk '{ print $2 }'")) > 64);
      await bench.eventually("the claim has grown", async () =>
        assert.equal(await field("pvc myclaim", "{.status.capacity.storage}"), "96Mi"),
      );
      const volume = await field("pvc myclaim", "{.spec.volumeName}");
      await k("delete", "pvc", "myclaim", "--wait=false");
      assert.equal(await field("pvc myclaim", "{.metadata.finalizers[0]}"), "kubernetes.io/pvc-protection");
      assert.match(await k("describe", "pvc", "myclaim"), /Status: +Terminating/);
      await k("delete", "pod", "mypod");
      await k("wait", "--for=delete", "pvc/myclaim", `pv/${volume}`, "--timeout=90s");
      assert.ok(!existsSync(join(bench.folder, "home", bench.name, "volumes/volumes", volume)), "data are deleted");
    });

    test("a volume's attributes change with its class, and the claim says what cannot be had", async () => {
      await apply("attributes.yaml", attributes);
      await bound("changing");
      const change = (name: string) =>
        k("patch", "pvc", "changing", "--patch", `{"spec":{"volumeAttributesClassName":"${name}"}}`);
      const now = (path: string) => field("pvc changing", `{.status.${path}}`);
      await change("durable");
      await bench.eventually("it is durable", async () =>
        assert.equal(await now("currentVolumeAttributesClassName"), "durable"),
      );
      const volume = await field("pvc changing", "{.spec.volumeName}");
      assert.match(await k("get", "pvc", "changing"), /standard +durable/);
      const data = join(bench.folder, "home", bench.name, "volumes/volumes", volume, "data");
      assert.match(await systemProcesses.output("lsattr", { args: ["-d", data] }, signal), /^\S*S/);
      await change("gold");
      await bench.eventually("gold cannot be had", async () => {
        assert.equal(await now("modifyVolumeStatus.status"), "Infeasible");
        assert.match(await k("describe", "pvc", "changing"), /VolumeModifyFailed .*invalid mutable parameter iops/);
      });
      await change("durable");
      await bench.eventually("it is as it was", async () => assert.equal(await now("modifyVolumeStatus"), ""));
      await k("delete", "pvc", "changing");
      await k("delete", "volumeattributesclass", "durable", "gold");
      await apply("dynamic.yaml", dynamic);
      await bench.eventually("what is left is told for classes that wait", async () =>
        assert.match(await k("get", "csistoragecapacities", "-A"), /kube-system +csisc-\S+ +late +\d+/),
      );
      await k("delete", "pvc/myclaim", "storageclass/late");
    });

    test("a StatefulSet's volumes stay with their names, and are snapshot and restored", async () => {
      await apply("database.yaml", database);
      await k("rollout", "status", "statefulset/db", "--timeout=120s");
      const claims = await k("get", "pvc", "-o", "jsonpath={.items[*].metadata.name}");
      assert.equal(claims, "data-db-0 data-db-1");
      assert.match(await k("get", "pvc", "data-db-0"), /data-db-0 +Bound +pvc-\S+ +10Mi +RWO +standard/);
      await bench.eventually("it has written", async () =>
        assert.equal(await sh("db-0", "cat /var/lib/db/starts"), "db-0\n"),
      );
      const uid = await field("pod db-0", "{.metadata.uid}");
      await k("delete", "pod", "db-0");
      await bench.eventually("it is back", async () =>
        assert.notEqual(await field("pod db-0", "{.metadata.uid}"), uid),
      );
      await ready("pod/db-0");
      await bench.eventually("it has written again", async () =>
        assert.equal(await sh("db-0", "cat /var/lib/db/starts"), "db-0\ndb-0\n"),
      );
      await k("scale", "statefulset", "db", "--replicas=1");
      await k("wait", "--for=delete", "pvc/data-db-1", "--timeout=90s");
      await apply("snapshot.yaml", snapshot);
      await k("wait", "--for=jsonpath={.status.readyToUse}=true", "volumesnapshot/db-snapshot", "--timeout=90s");
      assert.match(await k("get", "volumesnapshot", "db-snapshot"), /db-snapshot +true +data-db-0 .*snapclass/);
      await sh("db-0", "echo later >> /var/lib/db/starts");
      await apply("restored.yaml", restored);
      for (const [claim, lines] of [
        ["restored", "db-0\ndb-0\n"],
        ["clone", "db-0\ndb-0\nlater\n"],
      ] as const) {
        await bound(claim);
        await apply(`${claim}-pod.yaml`, claimPod(`on-${claim}`, claim));
        await ready(`pod/on-${claim}`);
        assert.equal(await sh(`on-${claim}`, "cat /data/starts"), lines);
      }
      const content = await field("volumesnapshot db-snapshot", "{.status.boundVolumeSnapshotContentName}");
      await k("delete", "volumesnapshot", "db-snapshot");
      await k("wait", "--for=delete", `volumesnapshotcontent/${content}`, "--timeout=90s");
      await k("delete", "statefulset", "db");
      assert.match(await k("get", "pvc", "data-db-0"), /Bound/);
    });
  });
}
