import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Pod } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { systemMounts, systemProcesses } from "@skiff/host";
import { defaultConfiguration } from "../config/kubelet-configuration.ts";
import { type ContainerdNode, startContainerdNode } from "../fixtures/containerd-node.ts";

const { signal } = new AbortController();
let machine: ContainerdNode;
let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "skiff-scratch-"));
  machine = await startContainerdNode(undefined, {
    ...defaultConfiguration,
    featureGates: { GitRepoVolumeDriver: true },
  });
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = systemClock.monotonic() + 60_000;
  while (!(await condition())) {
    if (systemClock.monotonic() > endMs)
      assert.fail(
        `${what}: not in time\n${JSON.stringify(machine.node.events.slice(-8))}\n${machine.warnings.join("\n")}`,
      );
    await systemClock.sleep(10, signal);
  }
}

const status = (name: string) => machine.node.pod(name)?.status;
const running = (name: string) => status(name)?.phase === "Running";
const messages = (name: string) => machine.node.events.filter((one) => one.name === name).map((one) => one.message);

async function gone(name: string): Promise<void> {
  await machine.node.delete(name, 1);
  await until(() => machine.node.pod(name) === undefined, `${name} goes`);
}

const container = (script: string, volumeMounts: Pod["spec"]["containers"][number]["volumeMounts"], name = "main") => ({
  name,
  image: "skiff/hello:1",
  command: ["sh", "-c", script],
  volumeMounts,
});

/** Runs a script to its end; gives what it said. */
async function run(
  name: string,
  script: string,
  spec: Partial<Pod["spec"]> & Pick<Pod["spec"]["containers"][number], "volumeMounts">,
): Promise<string> {
  const { volumeMounts, ...rest } = spec;
  machine.node.create(name, {
    restartPolicy: "Never",
    ...rest,
    containers: [container(`{ ${script}\n} >/dev/termination-log 2>&1`, volumeMounts)],
  });
  await until(() => ["Succeeded", "Failed"].includes(status(name)?.phase ?? ""), `${name} ends`);
  const said = status(name)?.containerStatuses?.[0]?.state?.terminated?.message?.trimEnd() ?? "";
  await gone(name);
  return said;
}

describe("volumes of containers", () => {
  it("share an emptyDir, and forget it with the pod", async () => {
    machine.node.create("shared", {
      containers: [
        container("echo hello >/a/new; mv /a/new /a/f; sleep 1000", [{ name: "e", mountPath: "/a" }], "writer"),
        container(
          "until cat /b/f >/dev/termination-log; do sleep 0.1; done; stat -c %a /b >>/dev/termination-log; exit 0",
          [{ name: "e", mountPath: "/b" }],
          "reader",
        ),
      ],
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: "e", emptyDir: {} }],
    });
    const reader = () => status("shared")?.containerStatuses?.find((one) => one.name === "reader")?.state?.terminated;
    await until(() => reader() !== undefined, "reader ends");
    assert.equal(reader()?.message, "hello\n777\n");
    const uid = machine.node.pod("shared")?.metadata.uid ?? "";
    await gone("shared");
    assert.ok(!(await readdir(join(machine.node.folder, "kubelet/pods"))).includes(uid));
  });

  it("bounds memory, and gives it to a group", async () => {
    const said = await run(
      "memory",
      `grep " /m " /proc/mounts | cut -d, -f1-2; stat -c "%a %g" /m; dd if=/dev/zero of=/m/x bs=1M count=3 2>&1 | grep -c "No space"; touch /m/y; stat -c "%a %g" /m/x`,
      {
        securityContext: { fsGroup: 1777 },
        volumeMounts: [{ name: "m", mountPath: "/m" }],
        volumes: [{ name: "m", emptyDir: { medium: "Memory", sizeLimit: "2Mi" } }],
      },
    );
    assert.match(said, /^tmpfs \/m tmpfs rw,relatime.*\n3777 1777\n1\n644 1777$/);
  });

  it("show files of the API with their modes, keys and binary data; nobody writes to them", async () => {
    machine.node.api.put("configmaps", {
      metadata: { name: "c", namespace: "default" },
      data: { "a.txt": "A", b: "B" },
      binaryData: { bin: Buffer.from([0, 255, 10]).toString("base64") },
    });
    machine.node.api.put("secrets", { metadata: { name: "s", namespace: "default" }, data: { p: "aHVzaA==" } });
    const said = await run(
      "files",
      `ls /c; cat /c/a.txt; od -An -tx1 /c/bin; cat /i/sub/dir; stat -L -c %a /i/sub/dir /c/a.txt /s/p; touch /c/x 2>&1 | grep -c Read-only; cat /p/one /p/labels; readlink /c/a.txt`,
      {
        volumeMounts: [
          { name: "c", mountPath: "/c" },
          { name: "i", mountPath: "/i" },
          { name: "s", mountPath: "/s" },
          { name: "p", mountPath: "/p" },
        ],
        volumes: [
          { name: "c", configMap: { name: "c", defaultMode: 0o640 } },
          { name: "i", configMap: { name: "c", items: [{ key: "b", path: "sub/dir", mode: 0o400 }] } },
          { name: "s", secret: { secretName: "s", defaultMode: 0o444 } },
          {
            name: "p",
            projected: {
              sources: [
                { secret: { name: "s", items: [{ key: "p", path: "one" }] } },
                { configMap: { name: "absent", optional: true } },
                { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.name" } }] } },
              ],
            },
          },
        ],
      },
    );
    assert.equal(said, "a.txt\nb\nbin\nA 00 ff 0a\nB400\n640\n444\n1\nhushfiles..data/a.txt");
  });

  it("follow their objects, and appear when these do", async (test) => {
    const put = (name: string, value: string) =>
      machine.node.api.put("configmaps", { metadata: { name, namespace: "default" }, data: { k: value } });
    machine.node.create("following", {
      containers: [container("sleep 1000", [{ name: "v", mountPath: "/v" }])],
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: "v", configMap: { name: "late" } }],
    });
    const missing = 'MountVolume.SetUp failed for volume "v" : configmap "late" not found';
    await until(() => messages("following").includes(missing), "tells");
    put("late", "1");
    await until(() => running("following"), "runs");
    const uid = machine.node.pod("following")?.metadata.uid ?? "";
    const file = join(machine.node.folder, "kubelet/pods", uid, "volumes/kubernetes.io~configmap/v/k");
    const startMs = systemClock.monotonic();
    put("late", "2");
    await until(async () => (await readFile(file, "utf8")) === "2", "follows");
    test.diagnostic(`followed after ${Math.round(systemClock.monotonic() - startMs)} ms`);
    await gone("following");
  });

  it("are what a hostPath's type says, or say what is wrong", async () => {
    await mkdir(join(scratch, "dir"));
    await writeFile(join(scratch, "file"), "content");
    const path = (name: string) => join(scratch, name);
    const good = [
      ["Directory", path("dir")],
      ["DirectoryOrCreate", path("made/deep")],
      ["File", path("file")],
      ["FileOrCreate", path("made-file")],
      ["CharDevice", "/dev/null"],
      ["", path("dir")],
    ] as const;
    const volumes = good.map(([type, at], index) => ({ name: `v${index}`, hostPath: { path: at, type } }));
    const said = await run("host", "cat /v2; test -d /v1 && test -c /v4 && test -f /v3 && echo ' all there'", {
      volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })),
      volumes,
    });
    assert.equal(said, "content all there");
    const bad = [
      ["Directory", path("file"), `hostPath type check failed: ${path("file")} is not a directory, it's a File`],
      ["File", path("nothing"), `hostPath ${path("nothing")} doesn't exist`],
      ["Socket", path("dir"), `hostPath type check failed: ${path("dir")} is not a socket file, it's a Directory`],
      ["BlockDevice", "/dev/null", "hostPath type check failed: /dev/null is not a block device, it's a CharDevice"],
    ] as const;
    machine.node.create("wrong", {
      containers: [
        container(
          "true",
          bad.map((_, index) => ({ name: `v${index}`, mountPath: `/${index}` })),
        ),
      ],
      volumes: bad.map(([type, at], index) => ({ name: `v${index}`, hostPath: { path: at, type } })),
    });
    for (const [index, [, , what]] of bad.entries())
      await until(() => messages("wrong").includes(`MountVolume.SetUp failed for volume "v${index}" : ${what}`), what);
    await gone("wrong");
  });

  it("do not let a container out by a link that it puts in a subPath's way", async () => {
    await mkdir(join(scratch, "volume"));
    await symlink("/etc", join(scratch, "volume/out"));
    await symlink("../../../../../../etc", join(scratch, "volume/up"));
    await writeFile(join(scratch, "volume/f"), "mine");
    const volumes = [{ name: "h", hostPath: { path: join(scratch, "volume") } }];
    for (const subPath of ["out", "up", "out/passwd", "out/made"]) {
      const name = `out-${subPath.replaceAll("/", "-")}`;
      machine.node.create(name, {
        containers: [container("true", [{ name: "h", mountPath: "/v", subPath }])],
        volumes,
      });
      await until(() => {
        const waiting = status(name)?.containerStatuses?.[0]?.state?.waiting;
        return waiting?.message === 'failed to prepare subPath for volumeMount "h" of container "main"';
      }, subPath);
      await gone(name);
    }
    // Over a file that the image has, and in a folder that is not there yet.
    const said = await run("in", "cat /etc/passwd; test -d /n && stat -c %a /n", {
      volumeMounts: [
        { name: "h", mountPath: "/etc/passwd", subPath: "f" },
        { name: "h", mountPath: "/n", subPath: "new/folder" },
      ],
      volumes,
    });
    assert.equal(said, "mine755");
    assert.deepEqual(
      (await machine.mounts()).filter((one) => one.target.includes("volume-subpaths")),
      [],
    );
  });

  it("pass mounts on, to containers and from them", async () => {
    machine.node.create("pass", {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      // The first starts first: what is mounted by then every container sees.
      containers: [
        container(
          "until test -e /e/seen; do sleep 0.1; done; ls -A /e/m >/dev/termination-log",
          [{ name: "e", mountPath: "/e" }],
          "private",
        ),
        {
          ...container(
            "mkdir /e/m && mount -t tmpfs t /e/m && echo in >/e/m/new && mv /e/m/new /e/m/f && sleep 1000",
            [{ name: "e", mountPath: "/e", mountPropagation: "Bidirectional" }],
            "master",
          ),
          securityContext: { privileged: true },
        },
        container(
          "until test -e /e/m/f; do sleep 0.1; done; cat /e/m/f >/dev/termination-log; touch /e/seen",
          [{ name: "e", mountPath: "/e", mountPropagation: "HostToContainer" }],
          "slave",
        ),
      ],
      volumes: [{ name: "e", emptyDir: {} }],
    });
    const ended = (name: string) =>
      status("pass")?.containerStatuses?.find((one) => one.name === name)?.state?.terminated;
    await until(() => ended("slave") !== undefined && ended("private") !== undefined, "both end");
    assert.deepEqual([ended("slave")?.message, ended("private")?.message ?? ""], ["in\n", ""]);
    const uid = machine.node.pod("pass")?.metadata.uid ?? "";
    await gone("pass");
    assert.ok(!(await machine.mounts()).some((one) => one.target.includes(`/${uid}/`)));
  });

  it("clone a git repository at a revision, and run nothing of it", async () => {
    const work = join(scratch, "work");
    const git = (...args: string[]) =>
      systemProcesses.output(
        "git",
        { args: ["-C", work, "-c", "user.name=t", "-c", "user.email=t@t", ...args] },
        signal,
      );
    await mkdir(work);
    await git("init", "-q");
    await writeFile(join(work, "f"), "one");
    await git("add", "f");
    await git("commit", "-qm", "one");
    const revision = (await git("rev-parse", "HEAD")).trim();
    await writeFile(join(work, "f"), "two");
    await git("commit", "-qam", "two");
    await git("update-server-info");
    await using server = createServer((request, response) => {
      readFile(join(work, ".git", new URL(request.url ?? "/", "http://x").pathname.replace("/repo.git", ""))).then(
        (data) => response.end(data),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const repository = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/repo.git`;
    const said = await run("git", "cat /g/repo/f; echo; cat /d/f; echo; stat -c '%u %a' /d/f /d", {
      volumeMounts: [
        { name: "g", mountPath: "/g" },
        { name: "d", mountPath: "/d" },
      ],
      volumes: [
        { name: "g", gitRepo: { repository } },
        { name: "d", gitRepo: { repository, revision, directory: "." } },
      ],
    });
    assert.equal(said, "two\none\n0 644\n0 777");
    machine.node.create("local", {
      containers: [container("true", [{ name: "g", mountPath: "/g" }])],
      volumes: [{ name: "g", gitRepo: { repository: `file://${work}` } }],
    });
    await until(() => messages("local").some((one) => /transport 'file' not allowed/.test(one)), "refused");
    await gone("local");
  });

  it("say that this kernel has no NFS, where that is so", async () => {
    if (await systemMounts().supports("nfs", signal)) return;
    machine.node.create("nfs", {
      containers: [container("true", [{ name: "n", mountPath: "/n" }])],
      volumes: [{ name: "n", nfs: { server: "192.0.2.1", path: "/x" } }],
    });
    await until(() => messages("nfs").some((one) => /volume "n" : mount failed: .*no NFS client/s.test(one)), "tells");
    await gone("nfs");
  });

  it("go with a pod that was deleted while the agent was away", async () => {
    machine.node.create("away", {
      containers: [
        container("sleep 1000", [
          { name: "m", mountPath: "/m" },
          { name: "m", mountPath: "/part", subPath: "part" },
        ]),
      ],
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: "m", emptyDir: { medium: "Memory" } }],
    });
    await until(() => running("away"), "runs");
    const uid = machine.node.pod("away")?.metadata.uid ?? "";
    assert.equal((await machine.mounts()).filter((one) => one.target.includes(`/${uid}/`)).length, 2);
    await machine.node.stopAgent();
    await machine.node.delete("away", 0);
    await machine.node.startAgent();
    const left = async () =>
      (await machine.mounts()).some((one) => one.target.includes(`/${uid}/`)) ||
      (await readdir(join(machine.node.folder, "kubelet/pods"))).includes(uid);
    await until(async () => !(await left()), "nothing is left");
  });
});
